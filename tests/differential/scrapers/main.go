// Receivers of the Go collector that scrape, as a program of their own:
//
//	scrapers docker_stats '{"endpoint": "tcp://127.0.0.1:2375"}' http://127.0.0.1:4318
//
// hands on what the receiver of that type and configuration measures, as OTLP.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/awsecscontainermetricsreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/dockerstatsreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/httpcheckreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/k8sclusterreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/nginxreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/rabbitmqreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
)

func post(ctx context.Context, url string, data pmetric.Metrics) error {
	body, err := pmetricotlp.NewExportRequestFromMetrics(data).MarshalProto()
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

// A host without exporters and extensions, as k8s_cluster asks it for them.
type host struct {
	component.Host
}

func (host) GetExporters() map[pipeline.Signal]map[component.ID]component.Component {
	return nil
}

func scrape(kind, text, url string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	factories := map[string]receiver.Factory{}
	for _, one := range []receiver.Factory{
		awsecscontainermetricsreceiver.NewFactory(),
		dockerstatsreceiver.NewFactory(),
		httpcheckreceiver.NewFactory(),
		k8sclusterreceiver.NewFactory(),
		nginxreceiver.NewFactory(),
		rabbitmqreceiver.NewFactory(),
	} {
		factories[one.Type().String()] = one
	}
	factory := factories[kind]
	if factory == nil {
		return fmt.Errorf("no such type: %s", kind)
	}
	written := map[string]any{}
	if err := json.Unmarshal([]byte(text), &written); err != nil {
		return err
	}
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(written).Unmarshal(config); err != nil {
		return err
	}
	settings := receivertest.NewNopSettings(factory.Type())
	settings.Logger = zap.NewExample()
	next, err := consumer.NewMetrics(func(ctx context.Context, data pmetric.Metrics) error {
		return post(ctx, url+"/v1/metrics", data)
	})
	if err != nil {
		return err
	}
	made, err := factory.CreateMetrics(ctx, settings, config, next)
	if err != nil {
		return err
	}
	if err := made.Start(ctx, host{componenttest.NewNopHost()}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func main() {
	err := errors.New("TYPE CONFIGURATION URL")
	if len(os.Args) == 4 {
		err = scrape(os.Args[1], os.Args[2], os.Args[3])
	}
	if err != nil {
		log.Fatal(err)
	}
}
