// Sends a span by each way of Jaeger's and Zipkin's clients: node send.js ZIPKIN_URL JAEGER_URL JAEGER_UDP_PORT
const { initTracer } = require("jaeger-client");
const { Tags } = require("opentracing");
const { Annotation, BatchRecorder, ExplicitContext, Tracer, jsonEncoder } = require("zipkin");
const { HttpLogger } = require("zipkin-transport-http");

const [zipkinUrl, jaegerUrl, jaegerPort] = process.argv.slice(2);

function sendToJaeger(name, reporter) {
  const sampler = { type: "const", param: 1 };
  const tracer = initTracer({ serviceName: "shop", sampler, reporter: { flushIntervalMs: 50, ...reporter } }, {});
  const span = tracer.startSpan(name, { tags: { "order.id": 7, [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_SERVER } });
  span.log({ event: "taken" });
  span.finish();
  return new Promise((done) => tracer.close(done));
}

function sendToZipkin(name) {
  const logger = new HttpLogger({ endpoint: zipkinUrl, httpInterval: 50, jsonEncoder: jsonEncoder.JSON_V2 });
  const tracer = new Tracer({ ctxImpl: new ExplicitContext(), recorder: new BatchRecorder({ logger }), localServiceName: "shop" });
  const sent = new Promise((done) => logger.on("success", done));
  tracer.setId(tracer.createRootId());
  tracer.recordServiceName("shop");
  tracer.recordRpc(name);
  tracer.recordBinary("order.id", "7");
  tracer.recordAnnotation(new Annotation.ServerRecv());
  tracer.recordMessage("taken");
  tracer.recordAnnotation(new Annotation.ServerSend());
  return sent;
}

async function main() {
  await sendToZipkin("node-zipkin");
  await sendToJaeger("node-jaeger-http", { collectorEndpoint: jaegerUrl });
  await sendToJaeger("node-jaeger-udp", { agentHost: "127.0.0.1", agentPort: Number(jaegerPort) });
}

setInterval(() => {}, 1000); // the timers of the clients alone do not keep the process alive
main().then(() => process.exit(0));
