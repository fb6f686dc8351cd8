#include "awss3_config.h"

#include <stddef.h>
#include <string.h>

#define S3(member) offsetof(struct awss3_uploader, member)

static const char *const partitions[] = {"", "minute", "hour", NULL};
static const char *const codings[] = {"none", "gzip", "zstd", "", NULL};
static const char *const unique_keys[] = {"", "uuidv7", NULL};
static const char *const retry_modes[] = {"standard", "adaptive", "nop", NULL};
static const char *const acls[] = {"",
                                   "private",
                                   "public-read",
                                   "public-read-write",
                                   "authenticated-read",
                                   "aws-exec-read",
                                   "bucket-owner-read",
                                   "bucket-owner-full-control",
                                   NULL};
static const char *const storage_classes[] = {
    "STANDARD", "STANDARD_IA", "ONEZONE_IA",   "INTELLIGENT_TIERING",
    "GLACIER",  "GLACIER_IR",  "DEEP_ARCHIVE", "REDUCED_REDUNDANCY",
    NULL};

const char *awss3_acl(const struct awss3_config *config)
{
    const char *acl = acls[config->s3.acl];
    return acl[0] != '\0' ? acl : NULL;
}

const char *awss3_storage_class(const struct awss3_config *config)
{
    return config->s3.storage_class != 0 ? storage_classes[config->s3.storage_class] : NULL;
}

enum hf_coding awss3_coding(const struct awss3_config *config)
{
    static const enum hf_coding of[] = {HF_IDENTITY, HF_GZIP, HF_ZSTD, HF_IDENTITY};
    return config->format == HF_OBJECT_SUMO_IC ? HF_GZIP : of[config->s3.coding];
}

const char *awss3_partition_format(const struct awss3_config *config)
{
    static const char by_hour[] = "year=%Y/month=%m/day=%d/hour=%H";
    static const char by_minute[] = "year=%Y/month=%m/day=%d/hour=%H/minute=%M";
    const char *format = config->s3.partition_format;
    if (format != NULL) {
        return format;
    }
    return config->s3.partition == 2 ? by_hour : by_minute;
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *awss3_check(const void *from)
{
    const struct awss3_config *config = from;
    const struct awss3_uploader *s3 = &config->s3;
    if (!given(s3->region)) {
        return "s3uploader::region is required";
    }
    if (strlen(s3->region) > 64) {
        return "s3uploader::region is too long";
    }
    if (!given(s3->bucket) && !given(s3->endpoint)) {
        return "s3uploader::s3_bucket or s3uploader::endpoint is required";
    }
    if (given(config->encoding)) {
        return "encoding: encoding extensions are not built in; use marshaler (otlp_json, "
               "otlp_proto, sumo_ic, body)";
    }
    if (config->format == HF_OBJECT_SUMO_IC && s3->coding != 0 && s3->coding != 3) {
        return "s3uploader::compression: the marshaler sumo_ic has gzip of its own and takes no "
               "other; remove the key";
    }
    if (s3->partition != 0 && s3->partition_format != NULL) {
        return "s3uploader::s3_partition and s3_partition_format exclude each other; keep "
               "s3_partition_format";
    }
    return NULL;
}

static const struct hf_field uploader_fields[] = {
    {.key = "region",
     .type = HF_FIELD_STRING,
     .offset = S3(region),
     .default_text = "us-east-1",
     .help = "The region that requests are signed for, and whose endpoint is used."},
    {.key = "s3_bucket",
     .type = HF_FIELD_STRING,
     .offset = S3(bucket),
     .help = "The bucket. It may be left out when the endpoint is that of one bucket."},
    {.key = "s3_prefix",
     .type = HF_FIELD_STRING,
     .offset = S3(prefix),
     .help = "The beginning of the objects' keys, before the partition."},
    {.key = "s3_base_prefix",
     .type = HF_FIELD_STRING,
     .offset = S3(base_prefix),
     .help = "What stands before s3_prefix, also when an attribute of the resource replaces that."},
    {.key = "s3_partition_format",
     .type = HF_FIELD_STRING,
     .offset = S3(partition_format),
     .help = "The partition by the time of receipt, a layout of strftime; absent: "
             "year=%Y/month=%m/day=%d/hour=%H/minute=%M."},
    {.key = "s3_partition_timezone",
     .type = HF_FIELD_STRING,
     .offset = S3(partition_timezone),
     .help = "The time zone of the partition, an IANA name; absent: the machine's."},
    {.key = "s3_partition",
     .type = HF_FIELD_ENUM,
     .offset = S3(partition),
     .choices = partitions,
     .help = "The partition in configurations of before 0.121: minute, or hour, which leaves "
             "minute=%M out."},
    {.key = "file_prefix",
     .type = HF_FIELD_STRING,
     .offset = S3(file_prefix),
     .help = "The beginning of the last part of the keys."},
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = S3(endpoint),
     .help = "Another store that speaks S3's protocol, as https://minio.example.com:9000; absent: "
             "that of the region."},
    {.key = "role_arn",
     .type = HF_FIELD_STRING,
     .offset = S3(role_arn),
     .help = "A role to write as; absent: the credential chain's own credentials."},
    {.key = "external_id",
     .type = HF_FIELD_STRING,
     .offset = S3(external_id),
     .help = "The external id that the role asks for."},
    {.key = "s3_force_path_style",
     .type = HF_FIELD_BOOL,
     .offset = S3(force_path_style),
     .help = "The bucket stands in the path and not in the host's name, as it does for endpoints "
             "that are IP addresses anyway."},
    {.key = "disable_ssl",
     .type = HF_FIELD_BOOL,
     .offset = S3(disable_ssl),
     .help = "Plain HTTP, for endpoints without a scheme."},
    {.key = "acl",
     .type = HF_FIELD_ENUM,
     .offset = S3(acl),
     .choices = acls,
     .help = "The canned ACL of the objects; absent: the bucket's own rules."},
    {.key = "storage_class",
     .type = HF_FIELD_ENUM,
     .offset = S3(storage_class),
     .default_text = "STANDARD",
     .choices = storage_classes,
     .help = "The storage class of the objects."},
    {.key = "compression",
     .type = HF_FIELD_ENUM,
     .offset = S3(coding),
     .default_text = "none",
     .choices = codings,
     .help = "Compression of the objects, which end in .gz or .zst then."},
    {.key = "unique_key_func_name",
     .type = HF_FIELD_ENUM,
     .offset = S3(unique_key),
     .choices = unique_keys,
     .help = "uuidv7: the unique part of a key is a UUID of version 7; absent: the first record's "
             "number in the queue and a hash. Both are the same at each attempt."},
    {.key = "retry_mode",
     .type = HF_FIELD_ENUM,
     .offset = S3(retry_mode),
     .default_text = "standard",
     .choices = retry_modes,
     .help = "Accepted without effect: retry_on_failure says how attempts are repeated."},
    {.key = "retry_max_attempts",
     .type = HF_FIELD_INT,
     .offset = S3(retry_max_attempts),
     .default_text = "3",
     .min = 0,
     .max = 1e9,
     .help = "Accepted without effect: no number of attempts drops data."},
    {.key = "retry_max_backoff",
     .type = HF_FIELD_DURATION,
     .offset = S3(retry_max_backoff_ns),
     .default_text = "20s",
     .help = "Accepted without effect: retry_on_failure::max_interval is it."},
    HF_FIELDS_END,
};

static const struct hf_field attribute_fields[] = {
    {.key = "s3_bucket",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct awss3_attributes, bucket),
     .help =
         "The attribute of the resource that names the bucket; without it s3uploader::s3_bucket "
         "is used."},
    {.key = "s3_prefix",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct awss3_attributes, prefix),
     .help = "The attribute of the resource that is the prefix; without it s3uploader::s3_prefix "
             "is used."},
    HF_FIELDS_END,
};

const struct hf_field awss3_fields[] = {
    {.key = "s3uploader",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct awss3_config, s3),
     .inner = uploader_fields,
     .help = "Where objects are written, and how they are called."},
    {.key = "marshaler",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct awss3_config, format),
     .default_text = "otlp_json",
     .choices = hf_object_formats,
     .help = "The content of an object: otlp_json or otlp_proto, one Export request; sumo_ic, the "
             "archive format of Sumo Logic, compressed by gzip; body, a line per record. The last "
             "two are for logs."},
    {.key = "encoding",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct awss3_config, encoding),
     .help = "An encoding extension; none is built in, so it is refused."},
    {.key = "encoding_file_extension",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct awss3_config, encoding_extension),
     .help = "Accepted without effect: it is for encoding."},
    {.key = "resource_attrs_to_s3",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct awss3_config, attributes),
     .inner = attribute_fields,
     .help =
         "Bucket and prefix by attributes of the resource: a request becomes an object for each "
         "pair of them."},
    HF_FIELDS_END,
};
