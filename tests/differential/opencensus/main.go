// The Go collector's OpenCensus receiver as a program of its own, and the encoder of its messages.
//
//	opencensus receive 127.0.0.1:55678 http://127.0.0.1:4318   hands on what it receives, as OTLP
//	opencensus encode traces <request.json >request.bin        a message from its JSON form
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"

	metrics "github.com/census-instrumentation/opencensus-proto/gen-go/agent/metrics/v1"
	traces "github.com/census-instrumentation/opencensus-proto/gen-go/agent/trace/v1"
	receiver "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/opencensusreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func post(ctx context.Context, url string, body []byte, err error) error {
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

func receive(address, url string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	factory := receiver.NewFactory()
	config := factory.CreateDefaultConfig().(*receiver.Config)
	config.NetAddr.Endpoint = address
	settings := receivertest.NewNopSettings(factory.Type())
	toTraces, err := consumer.NewTraces(func(ctx context.Context, data ptrace.Traces) error {
		body, err := ptraceotlp.NewExportRequestFromTraces(data).MarshalProto()
		return post(ctx, url+"/v1/traces", body, err)
	})
	if err != nil {
		return err
	}
	toMetrics, err := consumer.NewMetrics(func(ctx context.Context, data pmetric.Metrics) error {
		body, err := pmetricotlp.NewExportRequestFromMetrics(data).MarshalProto()
		return post(ctx, url+"/v1/metrics", body, err)
	})
	if err != nil {
		return err
	}
	ofTraces, err := factory.CreateTraces(ctx, settings, config, toTraces)
	if err != nil {
		return err
	}
	ofMetrics, err := factory.CreateMetrics(ctx, settings, config, toMetrics)
	if err != nil {
		return err
	}
	host := componenttest.NewNopHost()
	if err := errors.Join(ofTraces.Start(ctx, host), ofMetrics.Start(ctx, host)); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func encode(signal string) error {
	messages := map[string]proto.Message{
		"traces":  &traces.ExportTraceServiceRequest{},
		"metrics": &metrics.ExportMetricsServiceRequest{},
	}
	message := messages[signal]
	if message == nil {
		return fmt.Errorf("encode traces or metrics, not %s", signal)
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	if err := protojson.Unmarshal(text, message); err != nil {
		return err
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(encoded)
	return err
}

func main() {
	err := errors.New("receive ADDRESS URL, or encode SIGNAL")
	if len(os.Args) == 4 && os.Args[1] == "receive" {
		err = receive(os.Args[2], os.Args[3])
	} else if len(os.Args) == 3 && os.Args[1] == "encode" {
		err = encode(os.Args[2])
	}
	if err != nil {
		log.Fatal(err)
	}
}
