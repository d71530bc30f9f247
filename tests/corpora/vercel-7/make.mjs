// The AI SDK with its OpenTelemetry integration: a plain question, a streamed one, and a tool's
// run, asked for by OpenAI and by Anthropic.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { OpenTelemetry } from '@ai-sdk/otel';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { generateText, registerTelemetry, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter(), instrumentations: [] });
sdk.start();
registerTelemetry(new OpenTelemetry({ runtimeContext: true }));

const model = createOpenAI().chat('gpt-5-mini');
const talk = {
  runtimeContext: { sessionId: 'talk-1', userId: 'ann' },
  telemetry: { functionId: 'guide', includeRuntimeContext: { sessionId: true, userId: true } },
};
const getWeather = tool({
  description: 'The weather in a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `19 degrees in ${city}`,
});

await generateText({ model, prompt: 'What does a lighthouse do?', ...talk });
const streamed = streamText({ model, prompt: 'Count to three.', ...talk });
for await (const _ of streamed.textStream);
const claude = createAnthropic({ baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1` })('claude-sonnet-4-5');
for (const asked of [model, claude]) {
  await generateText({
    model: asked,
    prompt: 'How warm is it in Lisbon?',
    tools: { get_weather: getWeather },
    stopWhen: stepCountIs(3),
    ...talk,
  });
}
await sdk.shutdown();
