/* What no single key of a receiver can tell: configurations that go together, and those that do
 * not, with the sentence that is said. */
#include "tests/unit/made_config.h"

#define RECEIVER(name) extern const struct hf_component hf_receiver_##name;
RECEIVER(carbon)
RECEIVER(filelog)
RECEIVER(httpcheck)
RECEIVER(jaeger)
RECEIVER(journald)
RECEIVER(k8sobjects)
RECEIVER(kafkametrics)
RECEIVER(loki)
RECEIVER(mysql)
RECEIVER(postgresql)
RECEIVER(redis)
RECEIVER(splunk_hec)
RECEIVER(statsd)
RECEIVER(syslog)
RECEIVER(tcplog)

#define PAIRS_MAX 6

static const struct {
    const struct hf_component *receiver;
    const char *pairs[PAIRS_MAX + 1][2];
    const char *sentence; /* a part of it; NULL: all is well */
} cases[] = {
    {&hf_receiver_syslog, {{NULL, NULL}}, "need tcp config or udp config"},
    {&hf_receiver_syslog, {{"tcp.listen_address", ":1"}}, NULL},
    {&hf_receiver_syslog, {{"udp.listen_address", ":1"}}, NULL},
    {&hf_receiver_syslog,
     {{"tcp.listen_address", ":1"}, {"udp.listen_address", ":1"}},
     "tcp and udp exclude each other"},
    {&hf_receiver_syslog,
     {{"udp.listen_address", ":1"}, {"enable_octet_counting", "true"}},
     "are not for udp"},
    {&hf_receiver_syslog,
     {{"tcp.listen_address", ":1"},
      {"enable_octet_counting", "true"},
      {"non_transparent_framing_trailer", "LF"}},
     "exclude each other"},
    {&hf_receiver_syslog,
     {{"tcp.listen_address", ":1"},
      {"protocol", "rfc3164"},
      {"non_transparent_framing_trailer", "NUL"}},
     "is for rfc5424"},
    {&hf_receiver_syslog,
     {{"tcp.listen_address", ":1"}, {"tcp.max_log_size", "100"}},
     "max_log_size: expected 64KiB at least"},
    {&hf_receiver_tcplog,
     {{"listen_address", ":1"}, {"max_log_size", "100"}},
     "max_log_size: expected 64KiB at least"},
    {&hf_receiver_jaeger, {{NULL, NULL}}, "at least one protocol"},
    {&hf_receiver_jaeger, {{"protocols.grpc", ""}}, NULL},
    {&hf_receiver_jaeger, {{"protocols.thrift_compact", ""}}, NULL},
    {&hf_receiver_loki, {{NULL, NULL}}, "at least one protocol"},
    {&hf_receiver_loki, {{"protocols.http", ""}, {"protocols.grpc", ""}}, NULL},
    {&hf_receiver_splunk_hec, {{NULL, NULL}}, NULL},
    {&hf_receiver_splunk_hec, {{"ack.path", "/ack"}}, NULL},
    {&hf_receiver_splunk_hec,
     {{"ack.extension", "ack"}},
     "ack::extension: acknowledgements by number are not supported"},
    {&hf_receiver_httpcheck, {{NULL, NULL}}, "no targets configured"},
    {&hf_receiver_httpcheck, {{"targets.0.method", "GET"}}, "must be specified"},
    {&hf_receiver_httpcheck, {{"targets.0.endpoint", "http://a"}}, NULL},
    {&hf_receiver_httpcheck, {{"targets.0.endpoints", "http://a"}}, NULL},
    {&hf_receiver_httpcheck, {{"targets.0.endpoints", "a"}}, "targets: endpoints: expected"},
    {&hf_receiver_httpcheck,
     {{"targets.0.endpoint", "http://a"}, {"targets.0.validations.0.regex", "("}},
     "validations: regex: "},
    {&hf_receiver_kafkametrics, {{NULL, NULL}}, "scrapers: at least one"},
    {&hf_receiver_kafkametrics, {{"scrapers", "brokers"}}, NULL},
    {&hf_receiver_kafkametrics, {{"scrapers", "topics"}, {"topic_match", "("}}, "topic_match: "},
    {&hf_receiver_kafkametrics, {{"scrapers", "topics"}, {"group_match", "("}}, "group_match: "},
    {&hf_receiver_redis, {{"endpoint", "localhost:6379"}}, NULL},
    {&hf_receiver_redis, {{"endpoint", "[::1]:6379"}}, NULL},
    {&hf_receiver_redis, {{"endpoint", "localhost"}}, "endpoint: expected host:port"},
    {&hf_receiver_redis, {{"endpoint", "dns:///localhost:1"}}, "endpoint: expected host:port"},
    {&hf_receiver_redis, {{"endpoint", "/run/r.sock"}, {"transport", "unix"}}, NULL},
    {&hf_receiver_redis,
     {{"endpoint", "localhost:1"}, {"transport", "unix"}},
     "the path of a socket"},
    {&hf_receiver_redis, {{"endpoint", "a:1"}, {"username", "joe"}}, NULL},
    {&hf_receiver_postgresql, {{"password", "b"}}, "username is missing"},
    {&hf_receiver_postgresql, {{"username", "a"}}, "password is missing"},
    {&hf_receiver_postgresql, {{"username", "a"}, {"password", "b"}}, NULL},
    {&hf_receiver_postgresql,
     {{"username", "a"}, {"password", "b"}, {"endpoint", "[::1]:5432"}},
     NULL},
    {&hf_receiver_postgresql,
     {{"username", "a"}, {"password", "b"}, {"endpoint", "a"}},
     "endpoint: expected host:port"},
    {&hf_receiver_postgresql,
     {{"username", "a"}, {"password", "b"}, {"endpoint", "a:x"}},
     "endpoint: expected host:port"},
    {&hf_receiver_postgresql,
     {{"username", "a"}, {"password", "b"}, {"transport", "tcp4"}},
     "transport: expected tcp or unix"},
    {&hf_receiver_postgresql,
     {{"username", "a"}, {"password", "b"}, {"tls.key_file", "/a"}},
     "go together"},
    {&hf_receiver_mysql, {{NULL, NULL}}, NULL},
    {&hf_receiver_mysql, {{"endpoint", "/run/m.sock"}, {"transport", "unix"}}, NULL},
    {&hf_receiver_mysql, {{"endpoint", "a"}}, "endpoint: expected host:port"},
    {&hf_receiver_mysql, {{"transport", "unix"}}, "endpoint: expected the path of a socket"},
    {&hf_receiver_mysql, {{"tls.ca_file", "/a"}, {"tls.max_version", "1.3"}}, NULL},
    {&hf_receiver_mysql, {{"tls.ca_pem", "a"}}, "ca_pem, cert_pem and key_pem are not supported"},
    {&hf_receiver_mysql, {{"tls.server_name_override", "a"}}, "override is not supported"},
    {&hf_receiver_mysql, {{"tls.curve_preferences", "P256"}}, "not supported by libmariadb"},
    {&hf_receiver_mysql, {{"tls.key_file", "/a"}}, "needs its certificate"},
    {&hf_receiver_filelog, {{NULL, NULL}}, "include must name at least one file"},
    {&hf_receiver_filelog, {{"include", "/var/log/*.log"}}, NULL},
    {&hf_receiver_filelog, {{"include", "/var/log/{a,b"}}, "include: a pattern has a bracket"},
    {&hf_receiver_filelog,
     {{"include", "/a"}, {"exclude", "/b[c"}},
     "exclude: a pattern has a bracket"},
    {&hf_receiver_filelog,
     {{"include", "/a"}, {"delete_after_read", "true"}},
     "delete_after_read needs start_at: beginning"},
    {&hf_receiver_filelog,
     {{"include", "/a"}, {"delete_after_read", "true"}, {"start_at", "beginning"}},
     NULL},
    {&hf_receiver_filelog,
     {{"include", "/a"},
      {"multiline.line_start_pattern", "^a"},
      {"multiline.line_end_pattern", "a$"}},
     "not both"},
    {&hf_receiver_k8sobjects, {{"objects.0.name", "pods"}}, NULL},
    {&hf_receiver_k8sobjects,
     {{"objects.0.name", "pods"}, {"objects.0.exclude_watch_type", "DELETED"}},
     "exclude_watch_type is for the mode watch only"},
    {&hf_receiver_k8sobjects,
     {{"objects.0.name", "pods"},
      {"objects.0.mode", "watch"},
      {"objects.0.exclude_watch_type", "DELETED"}},
     NULL},
    {&hf_receiver_journald, {{NULL, NULL}}, NULL},
    {&hf_receiver_journald, {{"units", "a*"}}, "units: patterns are not supported"},
    {&hf_receiver_journald, {{"root_path", "host"}}, "root_path: an absolute path"},
    {&hf_receiver_journald,
     {{"directory", "/a"}, {"files", "/b"}},
     "directory and files: only one of them"},
    {&hf_receiver_statsd, {{NULL, NULL}}, NULL},
    {&hf_receiver_statsd, {{"endpoint", "no port"}}, "endpoint: host:port is expected"},
    {&hf_receiver_statsd, {{"endpoint", "/run/s"}, {"transport", "unixgram"}}, NULL},
    {&hf_receiver_statsd,
     {{"timer_histogram_mapping.0.statsd_type", "timer"},
      {"timer_histogram_mapping.0.observer_type", "gauge"},
      {"timer_histogram_mapping.0.histogram.max_size", "100"}},
     "histogram is for observer_type histogram"},
    {&hf_receiver_statsd,
     {{"timer_histogram_mapping.0.statsd_type", "timer"},
      {"timer_histogram_mapping.0.observer_type", "histogram"},
      {"timer_histogram_mapping.0.histogram.max_size", "1"}},
     "max_size is 2 at least"},
    {&hf_receiver_carbon, {{NULL, NULL}}, NULL},
    {&hf_receiver_carbon, {{"parser.type", "regex"}}, "type regex needs config::rules"},
    {&hf_receiver_carbon,
     {{"parser.config.rules.0.regexp", "a"}},
     "config::rules is for type regex"},
};

static void what_does_not_go_together_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made_config made;
        made_config(&made, cases[i].receiver, cases[i].pairs);
        const char *said = cases[i].receiver->check(made.config);
        bool good = cases[i].sentence == NULL
                        ? said == NULL
                        : said != NULL && strstr(said, cases[i].sentence) != NULL;
        if (!good) {
            fail_msg("case %zu, %s: %s, not %s", i, cases[i].receiver->type,
                     said != NULL ? said : "nothing",
                     cases[i].sentence != NULL ? cases[i].sentence : "nothing");
        }
        made_config_release(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_go_together_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
