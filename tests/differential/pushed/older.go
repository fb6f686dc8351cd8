//go:build older

package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/awsxrayreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/carbonreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/influxdbreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/lokireceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/otlpjsonfilereceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusremotewritereceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/splunkhecreceiver"
	"go.opentelemetry.io/collector/receiver"
)

var factories = []receiver.Factory{
	awsxrayreceiver.NewFactory(),
	carbonreceiver.NewFactory(),
	influxdbreceiver.NewFactory(),
	lokireceiver.NewFactory(),
	otlpjsonfilereceiver.NewFactory(),
	prometheusremotewritereceiver.NewFactory(),
	splunkhecreceiver.NewFactory(),
}
