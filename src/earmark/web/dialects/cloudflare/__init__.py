"""The wire format of Cloudflare Workers AI: REST, and the binding of local development.

What the official SDKs, wrangler and `workers-ai-provider` send and read. Knows nothing of other
dialects.
"""
