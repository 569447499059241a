// Answers what each call of the binding came to, without a package in between.

export default {
  async fetch(request, { AI }) {
    const { classifier, ranker, text, query, passages } = await request.json();
    const contexts = passages.map((passage) => ({ text: passage }));
    return Response.json({
      scores: await AI.run(classifier, { text }),
      ranking: await AI.run(ranker, { query, contexts }),
      models: (await AI.models({ search: "distilbert" })).map(({ name }) => name),
      error: await AI.run(classifier, { text: "" }).then(
        () => null,
        ({ name, message }) => ({ name, message }),
      ),
    });
  },
};
