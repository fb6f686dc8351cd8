/* The detectors `lambda`, `elastic_beanstalk`, `heroku`, `dynatrace` and those of Azure's
 * platforms: what variables and files tell, without a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect.h"
#include "pdata/json_any.h"

/* Each attribute that a variable tells. */
struct variable {
    const char *name, *attribute;
};

static void set_variables(struct hf_detection *detection, const struct variable *variables)
{
    for (; variables->name != NULL; variables++) {
        hf_detection_set_text(detection, variables->attribute,
                              hf_detection_env(variables->name, ""));
    }
}

static bool has_variable(const char *name)
{
    return hf_detection_env(name, NULL) != NULL;
}

/* ---- AWS Lambda ---- */

/* A list of one. */
static void set_list(struct hf_detection *detection, const char *attribute, const char *variable)
{
    if (has_variable(variable)) {
        const struct hf_slice name =
            hf_any_make_string(&detection->maker, hf_slice_text(getenv(variable)));
        hf_detection_set_value(detection, attribute, hf_any_make_list(&detection->maker, &name, 1));
    }
}

static enum hf_status detect_lambda(struct hf_detection *detection)
{
    static const struct variable variables[] = {
        {"AWS_LAMBDA_FUNCTION_NAME", "faas.name"},
        {"AWS_LAMBDA_FUNCTION_VERSION", "faas.version"},
        {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "faas.max_memory"},
        {"AWS_LAMBDA_LOG_STREAM_NAME", "faas.instance"},
        {"AWS_REGION", "cloud.region"},
        {NULL, NULL},
    };
    if (has_variable("AWS_LAMBDA_FUNCTION_NAME")) {
        hf_detection_set_text(detection, "cloud.provider", "aws");
        hf_detection_set_text(detection, "cloud.platform", "aws_lambda");
        set_variables(detection, variables);
        set_list(detection, "aws.log.group.names", "AWS_LAMBDA_LOG_GROUP_NAME");
        set_list(detection, "aws.log.stream.names", "AWS_LAMBDA_LOG_STREAM_NAME");
    }
    return HF_OK;
}

static const struct hf_detector_attribute lambda_attributes[] = {
    {"cloud.provider", false},       {"cloud.platform", false},
    {"cloud.region", false},         {"faas.name", false},
    {"faas.version", false},         {"faas.instance", false},
    {"faas.max_memory", false},      {"aws.log.group.names", false},
    {"aws.log.stream.names", false}, {NULL, false},
};

const struct hf_detector hf_detector_lambda = {
    .name = "lambda", .attributes = lambda_attributes, .detect = detect_lambda};

/* ---- AWS Elastic Beanstalk ---- */

static enum hf_status detect_elastic_beanstalk(struct hf_detection *detection)
{
    static const char *const pairs[][2] = {
        {"deployment_id", "service.instance.id"},
        {"environment_name", "deployment.environment"},
        {"version_label", "service.version"},
    };
    static const char path[] = "/var/elasticbeanstalk/xray/environment.conf";
    struct hf_slice text = hf_detection_file(detection, path), object;
    if (text.size == 0) {
        return HF_OK;
    }
    enum hf_status status = hf_json_any(&detection->maker, text, &object);
    if (status != HF_OK) {
        snprintf(detection->why, sizeof(detection->why), "%s: no JSON", path);
        return status;
    }
    hf_detection_set_text(detection, "cloud.provider", "aws");
    hf_detection_set_text(detection, "cloud.platform", "aws_elastic_beanstalk");
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        hf_detection_set(detection, pairs[i][1],
                         hf_json_any_text(&detection->maker, object, pairs[i][0]));
    }
    return HF_OK;
}

static const struct hf_detector_attribute elastic_beanstalk_attributes[] = {
    {"cloud.provider", false},
    {"cloud.platform", false},
    {"deployment.environment", false},
    {"service.instance.id", false},
    {"service.version", false},
    {"deployment.environment.name",
     false}, /* these two without effect: behind a gate that is off */
    {"deployment.id", false},
    {NULL, false},
};

const struct hf_detector hf_detector_elastic_beanstalk = {.name = "elastic_beanstalk",
                                                          .attributes =
                                                              elastic_beanstalk_attributes,
                                                          .detect = detect_elastic_beanstalk};

/* ---- Heroku ---- */

static enum hf_status detect_heroku(struct hf_detection *detection)
{
    static const struct variable variables[] = {
        {"HEROKU_DYNO_ID", "service.instance.id"},
        {"HEROKU_APP_ID", "heroku.app.id"},
        {"HEROKU_APP_NAME", "service.name"},
        {"HEROKU_RELEASE_CREATED_AT", "heroku.release.creation_timestamp"},
        {"HEROKU_RELEASE_VERSION", "service.version"},
        {"HEROKU_SLUG_COMMIT", "heroku.release.commit"},
        {NULL, NULL},
    };
    if (has_variable("HEROKU_DYNO_ID")) {
        hf_detection_set_text(detection, "cloud.provider", "heroku");
        set_variables(detection, variables);
    }
    return HF_OK;
}

static const struct hf_detector_attribute heroku_attributes[] = {
    {"cloud.provider", false},        {"heroku.app.id", false},
    {"heroku.dyno.id", false}, /* without effect: the Go collector never sets it */
    {"heroku.release.commit", false}, {"heroku.release.creation_timestamp", false},
    {"service.instance.id", false},   {"service.name", false},
    {"service.version", false},       {NULL, false},
};

const struct hf_detector hf_detector_heroku = {
    .name = "heroku", .attributes = heroku_attributes, .detect = detect_heroku};

/* ---- Dynatrace ---- */

/* What OneAgent tells of its host: a line key=value each. The Go collector trims what it sets, but
 * compares the key as it is written. */
static enum hf_status detect_dynatrace(struct hf_detection *detection)
{
    static const char path[] = "/var/lib/dynatrace/enrichment/dt_host_metadata.properties";
    const struct hf_slice file = hf_detection_file(detection, path);
    const uint8_t *at = file.data, *end = file.data + file.size;
    while (at < end) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end != NULL ? line_end : end;
        const uint8_t *sign = memchr(at, '=', (size_t)(line_end - at));
        for (const struct hf_detector_attribute *known = detection->detector->attributes;
             sign != NULL && known->name != NULL; known++) {
            if (hf_slice_is(hf_slice_of(at, (size_t)(sign - at)), known->name)) {
                hf_detection_set(
                    detection, known->name,
                    hf_detection_trimmed(hf_slice_of(sign + 1, (size_t)(line_end - sign - 1))));
            }
        }
        at = line_end + 1;
    }
    return HF_OK;
}

static const struct hf_detector_attribute dynatrace_attributes[] = {
    {"dt.entity.host", false}, {"host.name", false}, {"dt.smartscape.host", false}, {NULL, false}};

const struct hf_detector hf_detector_dynatrace = {
    .name = "dynatrace", .attributes = dynatrace_attributes, .detect = detect_dynatrace};

/* ---- Azure's platforms ---- */

/* "SUBSCRIPTION+GROUP-REGIONwebspace" */
static const char *azure_subscription(struct hf_detection *detection)
{
    const char *owner = hf_detection_env("WEBSITE_OWNER_NAME", "");
    return hf_detection_text(detection, "%.*s", (int)strcspn(owner, "+"), owner);
}

/* What App Service and Functions both tell of a site. */
static void set_azure_site(struct hf_detection *detection)
{
    static const struct variable variables[] = {
        {"WEBSITE_SITE_NAME", "service.name"},
        {"WEBSITE_RESOURCE_GROUP", "azure.resource_group.name"},
        {"REGION_NAME", "cloud.region"},
        {"WEBSITE_SLOT_NAME", "deployment.environment.name"},
        {NULL, NULL},
    };
    const char *subscription = azure_subscription(detection);
    hf_detection_set_text(detection, "cloud.provider", "azure");
    hf_detection_set_text(detection, "cloud.account.id", subscription);
    set_variables(detection, variables);
    if (subscription[0] != '\0' && has_variable("WEBSITE_RESOURCE_GROUP") &&
        has_variable("WEBSITE_SITE_NAME")) {
        hf_detection_set_text(
            detection, "cloud.resource_id",
            hf_detection_text(
                detection, "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Web/sites/%s",
                subscription, getenv("WEBSITE_RESOURCE_GROUP"), getenv("WEBSITE_SITE_NAME")));
    }
}

/* An app of Functions has the same variables; it is the other detector's. */
static enum hf_status detect_azureappservice(struct hf_detection *detection)
{
    if (has_variable("WEBSITE_SITE_NAME") && has_variable("WEBSITE_RESOURCE_GROUP") &&
        has_variable("WEBSITE_OWNER_NAME") && !has_variable("FUNCTIONS_WORKER_RUNTIME")) {
        set_azure_site(detection);
        hf_detection_set_text(detection, "cloud.platform", "azure.app_service");
        hf_detection_set_text(detection, "azure.app_service.instance.id",
                              hf_detection_env("WEBSITE_INSTANCE_ID", ""));
    }
    return HF_OK;
}

static const struct hf_detector_attribute azureappservice_attributes[] = {
    {"azure.app_service.instance.id", false},
    {"azure.resource_group.name", false},
    {"cloud.account.id", false},
    {"cloud.platform", false},
    {"cloud.provider", false},
    {"cloud.region", false},
    {"cloud.resource_id", false},
    {"deployment.environment.name", false},
    {"service.name", false},
    {NULL, false},
};

const struct hf_detector hf_detector_azureappservice = {.name = "azureappservice",
                                                        .attributes = azureappservice_attributes,
                                                        .detect = detect_azureappservice};

/* Which variable has the instance depends on the plan. */
static enum hf_status detect_azurefunctions(struct hf_detection *detection)
{
    if (has_variable("FUNCTIONS_WORKER_RUNTIME") || has_variable("FUNCTIONS_EXTENSION_VERSION")) {
        const char *container = hf_detection_env("CONTAINER_NAME", "");
        const char *pod = hf_detection_env("WEBSITE_POD_NAME", container);
        set_azure_site(detection);
        hf_detection_set_text(detection, "cloud.platform", "azure.functions");
        hf_detection_set_text(detection, "faas.instance",
                              hf_detection_env("WEBSITE_INSTANCE_ID", pod));
    }
    return HF_OK;
}

static const struct hf_detector_attribute azurefunctions_attributes[] = {
    {"azure.resource_group.name", false},
    {"cloud.account.id", false},
    {"cloud.platform", false},
    {"cloud.provider", false},
    {"cloud.region", false},
    {"cloud.resource_id", false},
    {"deployment.environment.name", true},
    {"faas.instance", false},
    {"service.name", false},
    {NULL, false},
};

const struct hf_detector hf_detector_azurefunctions = {.name = "azurefunctions",
                                                       .attributes = azurefunctions_attributes,
                                                       .detect = detect_azurefunctions};

static enum hf_status detect_azurecontainerapps(struct hf_detection *detection)
{
    static const struct variable variables[] = {
        {"CONTAINER_APP_NAME", "service.name"},
        {"CONTAINER_APP_REPLICA_NAME", "azure.container_app.instance.id"},
        {NULL, NULL},
    };
    if (has_variable("CONTAINER_APP_NAME")) {
        hf_detection_set_text(detection, "cloud.provider", "azure");
        hf_detection_set_text(detection, "cloud.platform", "azure.container_apps");
        set_variables(detection, variables);
    }
    return HF_OK;
}

static const struct hf_detector_attribute azurecontainerapps_attributes[] = {
    {"azure.container_app.instance.id", false},
    {"cloud.platform", false},
    {"cloud.provider", false},
    {"service.name", false},
    {NULL, false},
};

const struct hf_detector hf_detector_azurecontainerapps = {.name = "azurecontainerapps",
                                                           .attributes =
                                                               azurecontainerapps_attributes,
                                                           .detect = detect_azurecontainerapps};
