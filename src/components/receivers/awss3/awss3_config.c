#include "awss3_config.h"

#include <stddef.h>
#include <string.h>

#include <holdfast/slice.h>

#include "aws/sqs.h"
#include "util/time/clock.h"
#include "util/time/time_layout.h"

#define S3(member) offsetof(struct awss3_downloader, member)
#define SQS(member) offsetof(struct awss3_sqs, member)
#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

static const char *const partitions[] = {"minute", "hour", NULL};

bool awss3_time(const char *text, int64_t *ret_unix_s)
{
    static const char *const layouts[] = {"2006-01-02 15:04", "2006-01-02"};
    int64_t time_ns;
    if (hf_time_rfc3339(hf_slice_text(text), &time_ns)) {
        *ret_unix_s = time_ns / (int64_t)HF_NS_PER_S;
        return true;
    }
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        char error[512];
        struct hf_time_layout *layout = NULL;
        const struct hf_time_layout_options options = {
            .layout = layouts[i], .type = "gotime", .location = "UTC"};
        bool is_it = hf_time_layout_new(&options, &layout, error) == HF_OK &&
                     hf_time_layout_parse(layout, hf_slice_text(text), &time_ns);
        hf_time_layout_free(layout);
        if (is_it) {
            *ret_unix_s = time_ns / (int64_t)HF_NS_PER_S;
            return true;
        }
    }
    return false;
}

const char *awss3_layout(const struct awss3_receiver_config *config)
{
    if (config->s3.partition_format != NULL) {
        return config->s3.partition_format;
    }
    return config->s3.partition == 1 ? "year=%Y/month=%m/day=%d/hour=%H"
                                     : "year=%Y/month=%m/day=%d/hour=%H/minute=%M";
}

static bool has_any(const char *layout, const char *directives)
{
    for (const char *at = strchr(layout, '%'); at != NULL && at[1] != '\0';
         at = strchr(at + 2, '%')) {
        if (strchr(directives, at[1]) != NULL) {
            return true;
        }
    }
    return false;
}

int64_t awss3_step_s(const struct awss3_receiver_config *config)
{
    const char *layout = awss3_layout(config);
    if (has_any(layout, "MSRTsc")) {
        return MINUTE_S;
    }
    return has_any(layout, "HIklpX") ? HOUR_S : DAY_S;
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *check_range(const struct awss3_receiver_config *config)
{
    int64_t start, end;
    if (!given(config->start) && !given(config->end)) {
        return "starttime and endtime are required, or sqs";
    }
    if (!given(config->start) || !awss3_time(config->start, &start)) {
        return "starttime must be a time such as 2026-01-31T15:04:05Z, 2026-01-31 15:04 or "
               "2026-01-31";
    }
    if (!given(config->end) || !awss3_time(config->end, &end)) {
        return "endtime must be a time such as 2026-01-31T15:04:05Z, 2026-01-31 15:04 or "
               "2026-01-31";
    }
    return end > start ? NULL : "endtime must be after starttime";
}

static const char *check_sqs(const struct awss3_receiver_config *config)
{
    if (given(config->start) || given(config->end)) {
        return "starttime and endtime do not go with sqs";
    }
    if (!given(config->sqs->queue_url)) {
        return "sqs::queue_url is required";
    }
    return given(config->sqs->region) && strlen(config->sqs->region) <= 64
               ? NULL
               : "sqs::region is required";
}

const char *awss3_receiver_check(const void *from)
{
    const struct awss3_receiver_config *config = from;
    if (!given(config->s3.bucket)) {
        return "s3downloader::s3_bucket is required";
    }
    if (!given(config->s3.region) || strlen(config->s3.region) > 64) {
        return "s3downloader::region is required";
    }
    return config->sqs != NULL ? check_sqs(config) : check_range(config);
}

static const struct hf_field sqs_fields[] = {
    {.key = "queue_url",
     .type = HF_FIELD_STRING,
     .offset = SQS(queue_url),
     .help = "The URL of the queue."},
    {.key = "region",
     .type = HF_FIELD_STRING,
     .offset = SQS(region),
     .help = "The region of the queue."},
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = SQS(endpoint),
     .help = "Another server that speaks SQS's protocol; absent: that of the region."},
    {.key = "wait_time_seconds",
     .type = HF_FIELD_INT,
     .offset = SQS(wait_s),
     .default_text = "20",
     .min = 0,
     .max = HF_SQS_WAIT_S_MAX,
     .help = "How long a request waits for a message."},
    {.key = "max_number_of_messages",
     .type = HF_FIELD_INT,
     .offset = SQS(messages_max),
     .default_text = "10",
     .min = 1,
     .max = HF_SQS_MESSAGES_MAX,
     .help = "How many messages one request may take."},
    HF_FIELDS_END,
};

static const struct hf_field downloader_fields[] = {
    {.key = "region",
     .type = HF_FIELD_STRING,
     .offset = S3(region),
     .default_text = "us-east-1",
     .help = "The region that requests are signed for, and whose endpoint is used."},
    {.key = "s3_bucket", .type = HF_FIELD_STRING, .offset = S3(bucket), .help = "The bucket."},
    {.key = "s3_prefix",
     .type = HF_FIELD_STRING,
     .offset = S3(prefix),
     .default_text = "",
     .help = "The beginning of the objects' keys, before the partition."},
    {.key = "s3_partition",
     .type = HF_FIELD_ENUM,
     .offset = S3(partition),
     .default_text = "minute",
     .choices = partitions,
     .help = "The partition without s3_partition_format: "
             "year=%Y/month=%m/day=%d/hour=%H/minute=%M, or that without the minute."},
    {.key = "s3_partition_format",
     .type = HF_FIELD_STRING,
     .offset = S3(partition_format),
     .help =
         "The partition as a layout of strftime. Partitions are a minute apart, an hour when it "
         "has no minutes, a day when it has no hours either."},
    {.key = "s3_partition_timezone",
     .type = HF_FIELD_STRING,
     .offset = S3(time_zone),
     .help = "The time zone of the partition, an IANA name; absent: the machine's."},
    {.key = "file_prefix",
     .type = HF_FIELD_STRING,
     .offset = S3(file_prefix),
     .default_text = "",
     .help = "The beginning of the last part of the keys."},
    {.key = "file_prefix_include_telemetry_type",
     .type = HF_FIELD_BOOL,
     .offset = S3(includes_type),
     .default_text = "true",
     .help = "The signal and an underscore follow file_prefix; false: every object below the "
             "partition is of the pipeline's signal."},
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = S3(endpoint),
     .help = "Another store that speaks S3's protocol; absent: that of the region."},
    {.key = "s3_force_path_style",
     .type = HF_FIELD_BOOL,
     .offset = S3(force_path_style),
     .help = "The bucket stands in the path and not in the host's name, as it does for endpoints "
             "that are IP addresses anyway."},
    {.key = "endpoint_partition_id",
     .type = HF_FIELD_IGNORED,
     .help = "The endpoint is used as it is."},
    HF_FIELDS_END,
};

const struct hf_field awss3_receiver_fields[] = {
    {.key = "starttime",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct awss3_receiver_config, start),
     .help = "The first partition is that of this time: RFC 3339, 2006-01-02 15:04 or 2006-01-02, "
             "in UTC unless it says otherwise."},
    {.key = "endtime",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct awss3_receiver_config, end),
     .help = "Partitions from this time on are not read."},
    {.key = "s3downloader",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct awss3_receiver_config, s3),
     .inner = downloader_fields,
     .help = "Where the objects are."},
    {.key = "sqs",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct awss3_receiver_config, sqs),
     .inner = sqs_fields,
     .inner_size = sizeof(struct awss3_sqs),
     .help = "A queue with the bucket's notifications of new objects, by itself or through SNS, in "
             "place of a range of time. A message is deleted once its objects are on disk."},
    {.key = "encodings",
     .type = HF_FIELD_IGNORED,
     .help = "Objects are read by the end of their keys: .json and .binpb, with .gz or .zst."},
    {.key = "notifications",
     .type = HF_FIELD_IGNORED,
     .help = "The log says when the range is read."},
    HF_FIELDS_END,
};
