"""The extension opamp under the supervisor of the OpenTelemetry Collector, which a server of ours commands."""

from .modules import built
from .pytest_files import passed

MODULE, VERSION = "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/opampsupervisor", "v0.158.0"


def main(directory):
    supervisor = built("opampsupervisor", MODULE, VERSION, MODULE)
    return passed(directory, "test_opamp", OPAMP_SUPERVISOR=str(supervisor))
