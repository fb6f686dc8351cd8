#include "configkafka.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "aws/host_scope.h"

#define LIBRARY_DIAL_MS_MIN 1000u
#define OAUTHBEARER "OAUTHBEARER"
#define OLD_MSK "AWS_MSK_IAM"

static const struct hf_field plain_text_fields[] = {
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_kafka_login, username),
     .required = true,
     .help = "The user."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct hf_kafka_login, password),
     .required = true,
     .help = "The password."},
    HF_FIELDS_END,
};

static const struct hf_field msk_fields[] = {
    {.key = "region",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_kafka_msk, region),
     .help = "The region of the cluster; absent: AWS_REGION, or what the EC2 instance says."},
    {.key = "role_arn",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_kafka_msk, role_arn),
     .help = "A role to sign in as; absent: the credential chain's own credentials."},
    {.key = "external_id",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_kafka_msk, external_id),
     .help = "The external id with which the role is assumed."},
    {.key = "broker_addr",
     .type = HF_FIELD_IGNORED,
     .help = "Of the former AWS_MSK_IAM: the token is for the region, not for a broker."},
    HF_FIELDS_END,
};

static const struct hf_field sasl_fields[] = {
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_kafka_login, username),
     .help = "The user."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct hf_kafka_login, password),
     .help = "The password."},
    {.key = "mechanism",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_kafka_login, mechanism),
     .help = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, AWS_MSK_IAM_OAUTHBEARER."},
    {.key = "version",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_kafka_login, version),
     .default_text = "0",
     .max = 1,
     .help = "Accepted without effect: the brokers are asked for what they speak."},
    {.key = "aws_msk",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct hf_kafka_login, aws_msk),
     .inner = msk_fields,
     .help = "AWS_MSK_IAM_OAUTHBEARER: the tokens are made of credentials of AWS, which are found "
             "as by sigv4auth."},
    {.key = "oauthbearer_token_source",
     .type = HF_FIELD_REF,
     .offset = offsetof(struct hf_kafka_login, token_source),
     .help = "OAUTHBEARER: the extension that has the tokens, such as oauth2client. It is asked "
             "again after 12 seconds at most, and sooner when the token ends (exp of a JWT)."},
    HF_FIELDS_END,
};

const struct hf_field hf_kafka_auth_fields[] = {
    {.key = "plain_text",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct hf_kafka_config, auth.plain_text),
     .inner = plain_text_fields,
     .inner_size = sizeof(struct hf_kafka_login),
     .help = "SASL PLAIN: a user and a password."},
    {.key = "sasl",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct hf_kafka_config, auth.sasl),
     .inner = sasl_fields,
     .inner_size = sizeof(struct hf_kafka_login),
     .help = "SASL with a mechanism."},
    {.key = "tls",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct hf_kafka_config, auth.tls),
     .inner = hf_tls_client_fields,
     .inner_size = sizeof(struct hf_tls_config),
     .help = "The former place of tls."},
    {.key = "kerberos",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct hf_kafka_config, auth.kerberos),
     .is_secret = true,
     .help = "Not supported: use sasl."},
    HF_FIELDS_END,
};

static const struct hf_field retry_fields[] = {
    {.key = "max",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_kafka_config, metadata.retry.max),
     .default_text = "3",
     .max = 1000000,
     .help = "Accepted without effect: what is not known is asked for again."},
    {.key = "backoff",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_kafka_config, metadata.retry.backoff_ns),
     .default_text = "250ms",
     .min = 1e6,
     .max = 3e11,
     .help = "Exporter: time before a request to a broker is repeated."},
    HF_FIELDS_END,
};

const struct hf_field hf_kafka_metadata_fields[] = {
    {.key = "full",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_kafka_config, metadata.full),
     .default_text = "true",
     .help = "Accepted without effect: only the topics in use are asked for."},
    {.key = "refresh_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_kafka_config, metadata.refresh_interval_ns),
     .default_text = "10m",
     .min = 1e7,
     .max = 3.6e12,
     .help = "How often the topics' partitions and leaders are asked for."},
    {.key = "retry",
     .type = HF_FIELD_STRUCT,
     .inner = retry_fields,
     .help = "How requests about topics are repeated."},
    HF_FIELDS_END,
};

const char *hf_kafka_expect_version(const char *key, const char *text)
{
    (void)key;
    unsigned dots = 0;
    for (const char *at = text; *at != '\0'; at++) {
        dots += *at == '.';
        if (*at != '.' && (*at < '0' || *at > '9')) {
            return "a version of Kafka such as 2.1.0";
        }
    }
    return dots >= 1 && dots <= 3 && text[0] != '.' ? NULL : "a version of Kafka such as 2.1.0";
}

static bool is_msk(const char *mechanism)
{
    return strcmp(mechanism, "AWS_MSK_IAM_OAUTHBEARER") == 0 || strcmp(mechanism, OLD_MSK) == 0;
}

static const char *mechanism_of(const struct hf_kafka_config *config)
{
    const struct hf_kafka_login *sasl = config->auth.sasl;
    return sasl != NULL && sasl->mechanism != NULL ? sasl->mechanism : "";
}

enum hf_kafka_token_kind hf_kafka_config_tokens(const struct hf_kafka_config *config)
{
    const char *mechanism = mechanism_of(config);
    return is_msk(mechanism)                     ? HF_KAFKA_TOKENS_AWS
           : strcmp(mechanism, OAUTHBEARER) == 0 ? HF_KAFKA_TOKENS_EXTENSION
                                                 : HF_KAFKA_TOKENS_NONE;
}

bool hf_kafka_config_is_old_msk(const struct hf_kafka_config *config)
{
    return strcmp(mechanism_of(config), OLD_MSK) == 0;
}

/* Amazon MSK takes IAM over TLS alone. */
const struct hf_tls_config *hf_kafka_config_tls(const struct hf_kafka_config *config)
{
    static const struct hf_tls_config of_the_system;
    const struct hf_tls_config *tls = config->tls != NULL ? config->tls : config->auth.tls;
    return tls == NULL && is_msk(mechanism_of(config)) ? &of_the_system : tls;
}

static const char *check_sasl(const struct hf_kafka_login *sasl)
{
    const char *mechanism = sasl->mechanism != NULL ? sasl->mechanism : "";
    if (is_msk(mechanism)) {
        return sasl->aws_msk.region != NULL && strlen(sasl->aws_msk.region) >= HF_AWS_REGION_MAX
                   ? "auth::sasl::aws_msk::region: too long for a region"
                   : NULL;
    }
    if (strcmp(mechanism, OAUTHBEARER) == 0) {
        return sasl->token_source != NULL
                   ? NULL
                   : "auth::sasl::oauthbearer_token_source is needed: the extension that has the "
                     "tokens, such as oauth2client";
    }
    if (strcmp(mechanism, "PLAIN") != 0 && strcmp(mechanism, "SCRAM-SHA-256") != 0 &&
        strcmp(mechanism, "SCRAM-SHA-512") != 0) {
        return "auth::sasl::mechanism: expected PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER "
               "or AWS_MSK_IAM_OAUTHBEARER";
    }
    if (sasl->username == NULL || sasl->username[0] == '\0' || sasl->password == NULL ||
        sasl->password[0] == '\0') {
        return "auth::sasl: username and password are needed";
    }
    return NULL;
}

/* What the library cannot be told. */
static const char *check_tls(const struct hf_tls_config *tls)
{
    if (tls->server_name_override != NULL && tls->server_name_override[0] != '\0') {
        return "tls::server_name_override is not supported for Kafka: brokers are verified by the "
               "names that they give themselves";
    }
    bool is_strict = tls->min_version != NULL && strcmp(tls->min_version, "1.3") == 0;
    bool is_old = tls->max_version != NULL && tls->max_version[0] != '\0' &&
                  strcmp(tls->max_version, "1.3") != 0;
    if (is_strict || is_old) {
        return "tls: min_version and max_version are not supported for Kafka: TLS 1.2 and 1.3 are "
               "spoken";
    }
    if (tls->cipher_suites.count != 0 || tls->curve_preferences.count != 0) {
        return "tls: cipher_suites and curve_preferences are not supported for Kafka: those of the "
               "system are used";
    }
    return hf_tls_client_check(tls);
}

const char *hf_kafka_config_check(const struct hf_kafka_config *config)
{
    if (config->brokers.count == 0) {
        return "brokers: at least one is needed";
    }
    if (config->auth.kerberos.type != HF_VALUE_NONE) {
        return "auth::kerberos is not supported: use auth::sasl with PLAIN or SCRAM, or a client "
               "certificate";
    }
    if (config->auth.plain_text != NULL && config->auth.sasl != NULL) {
        return "auth: only one of plain_text and sasl can be used";
    }
    const char *why = config->auth.sasl != NULL ? check_sasl(config->auth.sasl) : NULL;
    const struct hf_tls_config *tls = hf_kafka_config_tls(config);
    if (why == NULL && tls != NULL) {
        why = check_tls(tls);
    }
    return why;
}

static void set_tls(const struct hf_tls_config *tls, struct hf_kafka_settings *settings)
{
    hf_kafka_set_text(settings, "ssl.ca.location", tls->ca_file);
    hf_kafka_set_text(settings, "ssl.ca.pem", tls->ca_pem);
    hf_kafka_set_text(settings, "ssl.certificate.location", tls->cert_file);
    hf_kafka_set_text(settings, "ssl.certificate.pem", tls->cert_pem);
    hf_kafka_set_text(settings, "ssl.key.location", tls->key_file);
    hf_kafka_set_text(settings, "ssl.key.pem", tls->key_pem);
    if (tls->insecure_skip_verify) {
        hf_kafka_set(settings, "enable.ssl.certificate.verification", "false");
    }
    hf_kafka_set(settings, "ssl.endpoint.identification.algorithm", "%s",
                 tls->insecure_skip_verify ? "none" : "https");
}

static void set_brokers(const struct hf_string_list *brokers, struct hf_kafka_settings *settings)
{
    size_t size = 1;
    for (size_t i = 0; i < brokers->count; i++) {
        size += strlen(brokers->items[i]) + 1;
    }
    char *joined = calloc(1, size);
    if (joined == NULL) {
        settings->failed = true;
        return;
    }
    char *at = joined;
    for (size_t i = 0; i < brokers->count; i++) {
        if (i != 0) {
            *at++ = ',';
        }
        at = stpcpy(at, brokers->items[i]);
    }
    hf_kafka_set(settings, "bootstrap.servers", "%s", joined);
    free(joined);
}

void hf_kafka_config_set(const struct hf_kafka_config *config, struct hf_kafka_settings *settings)
{
    const struct hf_tls_config *tls = hf_kafka_config_tls(config);
    const struct hf_kafka_login *login =
        config->auth.plain_text != NULL ? config->auth.plain_text : config->auth.sasl;
    bool is_encrypted = tls != NULL && !tls->insecure;
    set_brokers(&config->brokers, settings);
    hf_kafka_set_text(settings, "client.id", config->client_id);
    hf_kafka_set_text(settings, "client.rack", config->rack_id);
    hf_kafka_set(settings, "security.protocol", "%s",
                 login != NULL  ? (is_encrypted ? "sasl_ssl" : "sasl_plaintext")
                 : is_encrypted ? "ssl"
                                : "plaintext");
    if (login != NULL && hf_kafka_config_tokens(config) != HF_KAFKA_TOKENS_NONE) {
        hf_kafka_set(settings, "sasl.mechanisms", OAUTHBEARER);
    } else if (login != NULL) {
        hf_kafka_set(settings, "sasl.mechanisms", "%s",
                     login->mechanism != NULL && login == config->auth.sasl ? login->mechanism
                                                                            : "PLAIN");
        hf_kafka_set(settings, "sasl.username", "%s", login->username);
        hf_kafka_set(settings, "sasl.password", "%s", login->password);
    }
    if (is_encrypted) {
        set_tls(tls, settings);
    }
    hf_kafka_set(settings, "topic.metadata.refresh.interval.ms", "%" PRIu64,
                 config->metadata.refresh_interval_ns / 1000000);
    hf_kafka_set(settings, "connections.max.idle.ms", "%" PRIu64,
                 config->conn_idle_timeout_ns / 1000000);
    uint64_t dial_ms = config->dial_timeout_ns / 1000000;
    hf_kafka_set(settings, "socket.connection.setup.timeout.ms", "%" PRIu64,
                 dial_ms < LIBRARY_DIAL_MS_MIN ? LIBRARY_DIAL_MS_MIN : dial_ms);
    hf_kafka_set(settings, "reconnect.backoff.max.ms", "2000");
    hf_kafka_set(settings, "log.connection.close", "false");
}
