// Answers how a client before 3.1.4 ranks labels: it sends no name of its own.

import { HfInference } from "@huggingface/inference";

export default {
  async fetch(request) {
    const { endpoint, key, text, labels } = await request.json();
    const asked = { model: "any", inputs: text, parameters: { candidate_labels: labels } };
    return Response.json(await new HfInference(key).endpoint(endpoint).zeroShotClassification(asked));
  },
};
