/* The detectors `ec2`, `ecs` and `eks`, by the metadata services of AWS. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "detect.h"
#include "detect_kubernetes.h"
#include "pdata/json_any.h"

/* ---- the instance metadata service, version 2 ---- */

struct imds {
    const char *base;
    struct hf_slice token;
};

static enum hf_status imds_open(struct hf_detection *detection, struct imds *ret_imds)
{
    const char *base =
        hf_detection_env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254");
    size_t size = strlen(base);
    if (strcasecmp(hf_detection_env("AWS_EC2_METADATA_DISABLED", "false"), "true") == 0) {
        snprintf(detection->why, sizeof(detection->why), "AWS_EC2_METADATA_DISABLED is set");
        return HF_NOT_FOUND;
    }
    size -= size > 0 && base[size - 1] == '/';
    ret_imds->base = hf_detection_text(detection, "%.*s", (int)size, base);
    const struct hf_detection_call call = {
        .method = "PUT",
        .url = hf_detection_text(detection, "%s/latest/api/token", ret_imds->base),
        .headers = {{hf_slice_text("x-aws-ec2-metadata-token-ttl-seconds"), hf_slice_text("300")}},
        .header_count = 1};
    return hf_detection_fetch(detection, &call, &ret_imds->token);
}

static enum hf_status imds_get(struct hf_detection *detection, const struct imds *imds,
                               const char *path, struct hf_slice *ret_body)
{
    const struct hf_detection_call call = {
        .url = hf_detection_text(detection, "%s/latest/%s", imds->base, path),
        .headers = {{hf_slice_text("x-aws-ec2-metadata-token"), imds->token}},
        .header_count = 1};
    return hf_detection_fetch(detection, &call, ret_body);
}

/* A key may hold what a path may not. */
static const char *escaped(struct hf_detection *detection, struct hf_slice key)
{
    const char *text = "";
    for (size_t i = 0; i < key.size; i++) {
        uint8_t c = key.data[i];
        bool is_plain = isalnum(c) || strchr("-._~", c) != NULL;
        text = hf_detection_text(detection, is_plain ? "%s%c" : "%s%%%02X", text, c);
    }
    return text;
}

static enum hf_status imds_tags(struct hf_detection *detection, const struct imds *imds)
{
    struct hf_slice list, value;
    enum hf_status status = imds_get(detection, imds, "meta-data/tags/instance", &list);
    while (status == HF_OK && list.size > 0) {
        const uint8_t *end = memchr(list.data, '\n', list.size);
        size_t size = end != NULL ? (size_t)(end - list.data) : list.size;
        struct hf_slice key = {list.data, size};
        list = end != NULL ? hf_slice_of(end + 1, list.size - size - 1) : HF_EMPTY_SLICE;
        if (key.size == 0 || !hf_detection_matches(&detection->config->tags, key)) {
            continue;
        }
        status = imds_get(
            detection, imds,
            hf_detection_text(detection, "meta-data/tags/instance/%s", escaped(detection, key)),
            &value);
        if (status == HF_OK) {
            hf_detection_set_named(detection, "ec2.tag.", key, value);
        }
    }
    return status;
}

/* What `ec2` and `eks` both tell of the instance. */
static enum hf_status detect_instance(struct hf_detection *detection, struct imds *imds)
{
    static const char *const pairs[][2] = {
        {"region", "cloud.region"},   {"accountId", "cloud.account.id"},
        {"imageId", "host.image.id"}, {"availabilityZone", "cloud.availability_zone"},
        {"instanceId", "host.id"},    {"instanceType", "host.type"},
    };
    struct hf_slice body, document, hostname;
    enum hf_status status = imds_open(detection, imds);
    if (status == HF_OK) {
        status = imds_get(detection, imds, "dynamic/instance-identity/document", &body);
    }
    if (status == HF_OK) {
        status = hf_json_any(&detection->maker, body, &document);
    }
    if (status == HF_OK) {
        status = imds_get(detection, imds, "meta-data/hostname", &hostname);
    }
    if (status != HF_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        hf_detection_set(detection, pairs[i][1],
                         hf_json_any_text(&detection->maker, document, pairs[i][0]));
    }
    hf_detection_set(detection, "host.name", hostname);
    return HF_OK;
}

static enum hf_status detect_ec2(struct hf_detection *detection)
{
    struct imds imds;
    enum hf_status status = detect_instance(detection, &imds);
    if (status != HF_OK) {
        return status;
    }
    hf_detection_set_text(detection, "cloud.provider", "aws");
    hf_detection_set_text(detection, "cloud.platform", "aws_ec2");
    status = detection->config->tags.count > 0 ? imds_tags(detection, &imds) : HF_OK;
    return status == HF_NOMEM ? status : HF_OK; /* an instance may keep its tags; `why` tells */
}

static const struct hf_detector_attribute ec2_attributes[] = {
    {"cloud.provider", false},   {"cloud.platform", false},
    {"cloud.account.id", false}, {"cloud.region", false},
    {"host.id", false},          {"cloud.availability_zone", false},
    {"host.image.id", false},    {"host.name", false},
    {"host.type", false},        {NULL, false},
};

const struct hf_detector hf_detector_ec2 = {
    .name = "ec2", .attributes = ec2_attributes, .detect = detect_ec2};

/* ---- ECS: the task metadata endpoint ---- */

/* The part of an ARN between its colons; empty: it has none. */
static struct hf_slice arn_part(struct hf_slice arn, unsigned index)
{
    while (arn.size > 0) {
        const uint8_t *end = memchr(arn.data, ':', arn.size);
        size_t size = end != NULL ? (size_t)(end - arn.data) : arn.size;
        if (index-- == 0) {
            return hf_slice_of(arn.data, size);
        }
        arn = end != NULL ? hf_slice_of(end + 1, arn.size - size - 1) : HF_EMPTY_SLICE;
    }
    return HF_EMPTY_SLICE;
}

#define LOGS_MAX 64u /* containers of a task, of which AWS allows 10 */

static void detect_logs(struct hf_detection *detection, struct hf_slice task, struct hf_slice self,
                        struct hf_slice account)
{
    static const char *const names[] = {"aws.log.group.names", "aws.log.group.arns",
                                        "aws.log.stream.names", "aws.log.stream.arns"};
    struct hf_any_maker *maker = &detection->maker;
    struct hf_slice lists[4][LOGS_MAX], containers, container;
    struct hf_any map = hf_any_read(task);
    size_t count = 0;
    if (map.type != HF_ANY_MAP || !hf_any_look_up(&map, hf_slice_text("Containers"), &containers)) {
        return;
    }
    struct hf_any list = hf_any_read(containers);
    struct hf_wire items = hf_any_items(&list);
    while (list.type == HF_ANY_ARRAY && count < LOGS_MAX && hf_any_next_value(&items, &container)) {
        struct hf_slice group = hf_json_any_text(maker, container, "LogOptions.awslogs-group");
        struct hf_slice region = hf_json_any_text(maker, container, "LogOptions.awslogs-region");
        struct hf_slice stream = hf_json_any_text(maker, container, "LogOptions.awslogs-stream");
        bool has_logs = group.size + region.size + stream.size > 0;
        if (!has_logs || !hf_slice_is(hf_json_any_text(maker, container, "Type"), "NORMAL") ||
            !hf_slice_is(hf_json_any_text(maker, container, "KnownStatus"), "RUNNING") ||
            !hf_slice_is(hf_json_any_text(maker, container, "LogDriver"), "awslogs") ||
            hf_slice_equal(hf_json_any_text(maker, container, "DockerId"),
                           hf_json_any_text(maker, self, "DockerId"))) {
            continue;
        }
        const char *arn = hf_detection_text(detection, "arn:aws:logs:%.*s:%.*s:log-group:%.*s",
                                            (int)region.size, (const char *)region.data,
                                            (int)account.size, (const char *)account.data,
                                            (int)group.size, (const char *)group.data);
        const char *stream_arn = hf_detection_text(detection, "%s:log-stream:%.*s", arn,
                                                   (int)stream.size, (const char *)stream.data);
        lists[0][count] = hf_any_make_string(maker, group);
        lists[1][count] = hf_any_make_string(maker, hf_slice_text(arn));
        lists[2][count] = hf_any_make_string(maker, stream);
        lists[3][count++] = hf_any_make_string(maker, hf_slice_text(stream_arn));
    }
    for (size_t i = 0; i < 4 && count > 0; i++) {
        hf_detection_set_value(detection, names[i], hf_any_make_list(maker, lists[i], count));
    }
}

static void detect_task(struct hf_detection *detection, struct hf_slice task,
                        struct hf_slice *ret_account)
{
    struct hf_any_maker *maker = &detection->maker;
    struct hf_slice arn = hf_json_any_text(maker, task, "TaskARN");
    struct hf_slice region = arn_part(arn, 3), account = arn_part(arn, 4), id = arn_part(arn, 5);
    struct hf_slice cluster = hf_json_any_text(maker, task, "Cluster");
    struct hf_slice launch = hf_json_any_text(maker, task, "LaunchType");
    const uint8_t *slash = id.size > 0 ? memrchr(id.data, '/', id.size) : NULL;
    if (slash != NULL) {
        id = hf_slice_of(slash + 1, id.size - (size_t)(slash - id.data) - 1);
    }
    hf_detection_set_text(detection, "cloud.provider", "aws");
    hf_detection_set_text(detection, "cloud.platform", "aws_ecs");
    hf_detection_set(detection, "aws.ecs.task.arn", arn);
    hf_detection_set(detection, "aws.ecs.task.family", hf_json_any_text(maker, task, "Family"));
    hf_detection_set(detection, "aws.ecs.task.revision", hf_json_any_text(maker, task, "Revision"));
    hf_detection_set(detection, "aws.ecs.task.id", id);
    hf_detection_set(detection, "cloud.account.id", account);
    hf_detection_set(detection, "cloud.region", region);
    hf_detection_set(detection, "cloud.availability_zone",
                     hf_json_any_text(maker, task, "AvailabilityZone"));
    if (cluster.size > 0 && memchr(cluster.data, ':', cluster.size) == NULL) {
        cluster = hf_slice_text(hf_detection_text(detection, "arn:aws:ecs:%.*s:%.*s:cluster/%.*s",
                                                  (int)region.size, (const char *)region.data,
                                                  (int)account.size, (const char *)account.data,
                                                  (int)cluster.size, (const char *)cluster.data));
    }
    hf_detection_set(detection, "aws.ecs.cluster.arn", cluster);
    const char *type =
        hf_detection_text(detection, "%.*s", (int)launch.size, (const char *)launch.data);
    if (strcasecmp(type, "ec2") == 0) {
        hf_detection_set_text(detection, "aws.ecs.launchtype", "ec2");
    } else if (strcasecmp(type, "fargate") == 0) {
        hf_detection_set_text(detection, "aws.ecs.launchtype", "fargate");
    }
    *ret_account = account;
}

static enum hf_status detect_ecs(struct hf_detection *detection)
{
    const char *base = hf_detection_env("ECS_CONTAINER_METADATA_URI_V4",
                                        hf_detection_env("ECS_CONTAINER_METADATA_URI", NULL));
    struct hf_slice task, self, account;
    if (base == NULL) {
        snprintf(detection->why, sizeof(detection->why),
                 "ECS_CONTAINER_METADATA_URI_V4 is not set");
        return HF_NOT_FOUND;
    }
    const struct hf_detection_call of_task = {.url = hf_detection_text(detection, "%s/task", base)};
    const struct hf_detection_call of_self = {.url = base};
    enum hf_status status = hf_detection_fetch_json(detection, &of_task, &task);
    if (status == HF_OK) {
        detect_task(detection, task, &account);
        /* Without its own container it cannot tell which logs are others'. */
        if (hf_detection_fetch_json(detection, &of_self, &self) == HF_OK) {
            detect_logs(detection, task, self, account);
        }
    }
    return status;
}

static const struct hf_detector_attribute ecs_attributes[] = {
    {"cloud.provider", false},          {"cloud.platform", false},
    {"cloud.account.id", false},        {"cloud.region", false},
    {"cloud.availability_zone", false}, {"aws.ecs.cluster.arn", false},
    {"aws.ecs.task.arn", false},        {"aws.ecs.task.family", false},
    {"aws.ecs.task.id", false},         {"aws.ecs.task.revision", false},
    {"aws.ecs.launchtype", false},      {"aws.log.group.names", false},
    {"aws.log.group.arns", false},      {"aws.log.stream.names", false},
    {"aws.log.stream.arns", false},     {NULL, false},
};

const struct hf_detector hf_detector_ecs = {
    .name = "ecs", .attributes = ecs_attributes, .detect = detect_ecs};

/* ---- EKS ---- */

static bool is_eks(struct hf_detection *detection)
{
    struct hf_slice version;
    if (strstr(hf_detection_env("AWS_WEB_IDENTITY_TOKEN_FILE", ""), "eks.amazonaws.com") != NULL ||
        strstr(hf_detection_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", ""),
               "eks-pod-identity") != NULL) {
        return true;
    }
    if (hf_kubernetes_get(detection, "/version", &version) != HF_OK) {
        return false;
    }
    struct hf_slice text = hf_json_any_text(&detection->maker, version, "gitVersion");
    return text.size > 0 && memmem(text.data, text.size, "-eks-", 5) != NULL;
}

static enum hf_status detect_eks(struct hf_detection *detection)
{
    struct imds imds;
    if (hf_detection_env("KUBERNETES_SERVICE_HOST", NULL) == NULL || !is_eks(detection)) {
        return HF_NOT_FOUND;
    }
    hf_detection_set_text(detection, "cloud.provider", "aws");
    hf_detection_set_text(detection, "cloud.platform", "aws_eks");
    enum hf_status status = detect_instance(detection, &imds);
    return status == HF_NOT_FOUND ? HF_OK : status; /* pods may be kept from the instance's */
}

static const struct hf_detector_attribute eks_attributes[] = {
    {"cloud.provider", false},
    {"cloud.platform", false},
    {"cloud.account.id", true},
    {"cloud.region", true},
    {"cloud.availability_zone", true},
    {"host.id", true},
    {"host.image.id", true},
    {"host.name", true},
    {"host.type", true},
    {"k8s.cluster.name", true},
    {NULL, false},
};

const struct hf_detector hf_detector_eks = {
    .name = "eks", .attributes = eks_attributes, .detect = detect_eks};
