#include "gcs_config.h"

#include <stddef.h>
#include <string.h>

#include "support/settings/confighttp.h"

#define AT(member) offsetof(struct gcs_config, member)
#define BUCKET(member) offsetof(struct gcs_bucket, member)

static const char *const codings[] = {"none", "gzip", "zstd", NULL};

enum hf_coding gcs_coding(const struct gcs_config *config)
{
    static const enum hf_coding of[] = {HF_IDENTITY, HF_GZIP, HF_ZSTD};
    return config->format == HF_OBJECT_SUMO_IC ? HF_GZIP : of[config->bucket.compression];
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

bool gcs_has_hmac(const struct gcs_config *config)
{
    return given(config->hmac.access_id);
}

/* What may stand in a URL as it is. */
static bool is_bucket(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    const size_t size_min = 3, size_max = 222;
    size_t size = strlen(name);
    return size >= size_min && size <= size_max && strspn(name, allowed) == size;
}

const char *gcs_check(const void *from)
{
    const struct gcs_config *config = from;
    if (!given(config->bucket.name)) {
        return "bucket::name is required";
    }
    if (!is_bucket(config->bucket.name)) {
        return "bucket::name has to be 3 to 222 lower-case letters, digits, '-', '_' and '.'";
    }
    if (given(config->encoding)) {
        return "encoding: encoding extensions are not built in; use format (otlp_json, otlp_proto, "
               "sumo_ic, body)";
    }
    if (config->format == HF_OBJECT_SUMO_IC && config->bucket.compression != 0) {
        return "bucket::compression: the format sumo_ic has gzip of its own and takes no other; "
               "remove the key";
    }
    if (given(config->hmac.access_id) != given(config->hmac.secret)) {
        return "hmac: access_id and secret are needed, both";
    }
    return hf_tls_client_check(&config->tls);
}

static const struct hf_field partition_fields[] = {
    {.key = "format",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct gcs_partition, format),
     .default_text = "",
     .help = "The partition by the time of receipt in UTC, a layout of strftime, as "
             "year=%Y/month=%m/day=%d; absent: none."},
    {.key = "prefix",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct gcs_partition, prefix),
     .help = "The beginning of the objects' names, before the partition."},
    HF_FIELDS_END,
};

static const struct hf_field bucket_fields[] = {
    {.key = "name", .type = HF_FIELD_STRING, .offset = BUCKET(name), .help = "The bucket."},
    {.key = "project_id",
     .type = HF_FIELD_STRING,
     .offset = BUCKET(project_id),
     .help = "The project in which the bucket is created; absent: GOOGLE_CLOUD_PROJECT, that of "
             "the credentials, or the machine's."},
    {.key = "region",
     .type = HF_FIELD_STRING,
     .offset = BUCKET(region),
     .help = "Where the bucket is created; absent: the machine's region."},
    {.key = "file_prefix",
     .type = HF_FIELD_STRING,
     .offset = BUCKET(file_prefix),
     .help = "The beginning of the last part of the names; absent: the signal (logs, traces, "
             "metrics)."},
    {.key = "partition",
     .type = HF_FIELD_STRUCT,
     .offset = BUCKET(partition),
     .inner = partition_fields,
     .help = "Folders by time."},
    {.key = "reuse_if_exists",
     .type = HF_FIELD_BOOL,
     .offset = BUCKET(reuse_if_exists),
     .default_text = "false",
     .help = "A bucket that is there is used, and one that is not is created when the first object "
             "finds none. Off: the bucket is created first, and one that is there already is "
             "refused, also after a restart."},
    {.key = "compression",
     .type = HF_FIELD_ENUM,
     .offset = BUCKET(compression),
     .choices = codings,
     .default_text = "none",
     .help = "Of the objects, which have it as their content encoding: none, gzip, zstd."},
    HF_FIELDS_END,
};

static const struct hf_field hmac_fields[] = {
    {.key = "access_id",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct gcs_hmac, access_id),
     .help = "The access id of an HMAC key."},
    {.key = "secret",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct gcs_hmac, secret),
     .help = "Its secret."},
    HF_FIELDS_END,
};

const struct hf_field gcs_fields[] = {
    {.key = "bucket",
     .type = HF_FIELD_STRUCT,
     .offset = AT(bucket),
     .inner = bucket_fields,
     .help = "The bucket and the names of its objects."},
    {.key = "encoding",
     .type = HF_FIELD_STRING,
     .offset = AT(encoding),
     .help = "The id of an encoding extension. There are none: a value is refused."},
    {.key = "format",
     .type = HF_FIELD_ENUM,
     .offset = AT(format),
     .choices = hf_object_formats,
     .default_text = "otlp_json",
     .help =
         "The content of objects: otlp_json, otlp_proto; for logs also sumo_ic and body, a line "
         "for each record."},
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .default_text = "https://storage.googleapis.com",
     .validate = hf_http_client_expect_url,
     .help = "Where Cloud Storage is, as of a private endpoint."},
    {.key = "hmac",
     .type = HF_FIELD_STRUCT,
     .offset = AT(hmac),
     .inner = hmac_fields,
     .help = "An HMAC key, with which the XML interface is spoken instead of the JSON interface "
             "with tokens of the application default credentials."},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = AT(tls),
     .inner = hf_tls_client_fields,
     .help = "How https:// endpoints are verified."},
    HF_FIELDS_END,
};
