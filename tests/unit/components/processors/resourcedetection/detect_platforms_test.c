/* What platforms tell by variables and files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/processors/resourcedetection/detect.h"

struct expected {
    const char *key, *value; /* key NULL ends */
};

static void detect(const struct hf_detector *detector, const char *root, enum hf_status wanted,
                   const struct expected *expected)
{
    static const struct hf_detector_config config;
    struct hf_detection detection = {.detector = detector,
                                     .config = &config,
                                     .root = root,
                                     .arena = {.limit = HF_DETECTION_LIMIT_BYTES}};
    size_t count = 0;
    detection.found.lender = &detection.arena;
    detection.maker.arena = &detection.arena;
    assert_int_equal(detector->detect(&detection), wanted);
    for (; expected[count].key != NULL; count++) {
        const struct hf_attribute *found =
            hf_attributes_find(&detection.found, hf_slice_text(expected[count].key));
        assert_non_null(found);
        if (expected[count].value != NULL) { /* NULL: a list */
            assert_true(hf_slice_is(hf_any_read(found->value).bytes, expected[count].value));
        }
    }
    assert_int_equal(detection.found.count, count);
    hf_arena_release(&detection.arena);
}

static const struct expected nothing[] = {{NULL, NULL}};

static void lambda_is_known_by_the_name_of_its_function(void **state)
{
    static const struct expected some[] = {
        {"cloud.provider", "aws"},
        {"cloud.platform", "aws_lambda"},
        {"faas.name", "shop"},
        {"faas.instance", "2024/x"},
        {"aws.log.group.names", NULL},
        {"aws.log.stream.names", NULL},
        {NULL, NULL},
    };
    (void)state;
    unsetenv("AWS_REGION");
    setenv("AWS_LAMBDA_LOG_STREAM_NAME", "2024/x", 1);
    setenv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/shop", 1);
    detect(&hf_detector_lambda, NULL, HF_OK, nothing);
    setenv("AWS_LAMBDA_FUNCTION_NAME", "shop", 1);
    detect(&hf_detector_lambda, NULL, HF_OK, some);
}

static void heroku_is_known_by_its_dyno(void **state)
{
    static const struct expected some[] = {{"cloud.provider", "heroku"},
                                           {"service.instance.id", "d-1"},
                                           {"service.name", "shop"},
                                           {NULL, NULL}};
    (void)state;
    setenv("HEROKU_APP_NAME", "shop", 1);
    detect(&hf_detector_heroku, NULL, HF_OK, nothing);
    setenv("HEROKU_DYNO_ID", "d-1", 1);
    detect(&hf_detector_heroku, NULL, HF_OK, some);
}

static void set_site(void)
{
    setenv("WEBSITE_SITE_NAME", "shop", 1);
    setenv("WEBSITE_RESOURCE_GROUP", "group", 1);
    setenv("WEBSITE_OWNER_NAME", "sub+group-westeuropewebspace", 1);
    setenv("REGION_NAME", "West Europe", 1);
    setenv("WEBSITE_SLOT_NAME", "Production", 1);
}

static void azure_platforms_are_told_apart_by_their_variables(void **state)
{
    static const char resource[] =
        "/subscriptions/sub/resourceGroups/group/providers/Microsoft.Web/sites/shop";
    static const struct expected app[] = {{"cloud.provider", "azure"},
                                          {"cloud.platform", "azure.app_service"},
                                          {"cloud.account.id", "sub"},
                                          {"cloud.region", "West Europe"},
                                          {"cloud.resource_id", resource},
                                          {"azure.resource_group.name", "group"},
                                          {"azure.app_service.instance.id", "i-1"},
                                          {"deployment.environment.name", "Production"},
                                          {"service.name", "shop"},
                                          {NULL, NULL}};
    static const struct expected functions[] = {{"cloud.provider", "azure"},
                                                {"cloud.platform", "azure.functions"},
                                                {"cloud.account.id", "sub"},
                                                {"cloud.region", "West Europe"},
                                                {"cloud.resource_id", resource},
                                                {"azure.resource_group.name", "group"},
                                                {"faas.instance", "pod-1"},
                                                {"service.name", "shop"},
                                                {NULL, NULL}};
    static const struct expected container[] = {{"cloud.provider", "azure"},
                                                {"cloud.platform", "azure.container_apps"},
                                                {"service.name", "shop"},
                                                {"azure.container_app.instance.id", "shop--1"},
                                                {NULL, NULL}};
    (void)state;
    detect(&hf_detector_azureappservice, NULL, HF_OK, nothing);
    detect(&hf_detector_azurefunctions, NULL, HF_OK, nothing);
    detect(&hf_detector_azurecontainerapps, NULL, HF_OK, nothing);
    set_site();
    setenv("WEBSITE_INSTANCE_ID", "i-1", 1);
    detect(&hf_detector_azureappservice, NULL, HF_OK, app);
    unsetenv("WEBSITE_INSTANCE_ID");
    setenv("WEBSITE_POD_NAME", "pod-1", 1);
    setenv("FUNCTIONS_WORKER_RUNTIME", "node", 1);
    detect(&hf_detector_azureappservice, NULL, HF_OK, nothing);
    detect(&hf_detector_azurefunctions, NULL, HF_OK, functions);
    setenv("CONTAINER_APP_NAME", "shop", 1);
    setenv("CONTAINER_APP_REPLICA_NAME", "shop--1", 1);
    detect(&hf_detector_azurecontainerapps, NULL, HF_OK, container);
}

static void write_file(const char *root, const char *text)
{
    static const char *const folders[] = {"/var", "/var/elasticbeanstalk",
                                          "/var/elasticbeanstalk/xray"};
    char path[256];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", root, folders[i]);
        (void)mkdir(path, 0700);
    }
    snprintf(path, sizeof(path), "%s%s/environment.conf", root, folders[2]);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_all(const char *root)
{
    static const char *const parts[] = {"/var/elasticbeanstalk/xray/environment.conf",
                                        "/var/elasticbeanstalk/xray", "/var/elasticbeanstalk",
                                        "/var", ""};
    char path[256];
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", root, parts[i]);
        assert_int_equal(remove(path), 0);
    }
}

static void elastic_beanstalk_is_known_by_its_file(void **state)
{
    static const struct expected some[] = {
        {"cloud.provider", "aws"},     {"cloud.platform", "aws_elastic_beanstalk"},
        {"service.instance.id", "23"}, {"deployment.environment", "prod"},
        {"service.version", "v1"},     {NULL, NULL}};
    char root[] = "/tmp/platforms.XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(root));
    detect(&hf_detector_elastic_beanstalk, root, HF_OK, nothing);
    write_file(root,
               "{\"deployment_id\":23,\"environment_name\":\"prod\",\"version_label\":\"v1\"}");
    detect(&hf_detector_elastic_beanstalk, root, HF_OK, some);
    write_file(root, "no JSON");
    detect(&hf_detector_elastic_beanstalk, root, HF_INVALID, nothing);
    remove_all(root);
}

static void dynatrace_tells_of_the_host_in_a_file_of_its_agent(void **state)
{
    static const struct expected some[] = {{"dt.entity.host", "HOST-1"},
                                           {"host.name", "a=b"},
                                           {"dt.smartscape.host", "HOST-2"},
                                           {NULL, NULL}};
    static const char *const folders[] = {"/var", "/var/lib", "/var/lib/dynatrace",
                                          "/var/lib/dynatrace/enrichment"};
    char root[] = "/tmp/platforms.XXXXXX", path[256];
    (void)state;
    assert_non_null(mkdtemp(root));
    detect(&hf_detector_dynatrace, root, HF_OK, nothing);
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s%s", root, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    snprintf(path, sizeof(path), "%s%s/dt_host_metadata.properties", root, folders[3]);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("dt.entity.host=HOST-1 \nno sign\nhost.name=a=b\nhost.name =not it\nother=1\n"
          "dt.smartscape.host=HOST-2",
          file);
    assert_int_equal(fclose(file), 0);
    detect(&hf_detector_dynatrace, root, HF_OK, some);
    assert_int_equal(remove(path), 0);
    for (size_t i = 4; i-- > 0;) {
        snprintf(path, sizeof(path), "%s%s", root, folders[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lambda_is_known_by_the_name_of_its_function),
        cmocka_unit_test(heroku_is_known_by_its_dyno),
        cmocka_unit_test(azure_platforms_are_told_apart_by_their_variables),
        cmocka_unit_test(elastic_beanstalk_is_known_by_its_file),
        cmocka_unit_test(dynatrace_tells_of_the_host_in_a_file_of_its_agent),
    };
    return cmocka_run_group_tests_name("detect_platforms", tests, NULL, NULL);
}
