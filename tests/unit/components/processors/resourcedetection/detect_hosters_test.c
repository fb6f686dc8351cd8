/* Each cloud's metadata service: what it is asked, and what of its answers becomes an attribute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include <string.h>

#include "components/processors/resourcedetection/detect.h"
#include "pdata/json_any.h"

/* A request that is answered: "METHOD URL name: value", as many headers as it must have. */
struct exchange {
    const char *request, *headers[2], *body, *answer; /* request NULL ends */
};

struct expected {
    const char *key, *value; /* key NULL ends */
};

struct scenario {
    const struct hf_detector *detector;
    const char *protocol;
    struct exchange exchanges[8];
    struct expected expected[11];
};

static const struct scenario *current;

static bool has_header(const struct hf_detection_call *call, const char *wanted)
{
    for (size_t i = 0; i < call->header_count; i++) {
        size_t size = call->headers[i].name.size;
        if (strncmp(wanted, (const char *)call->headers[i].name.data, size) == 0 &&
            strncmp(wanted + size, ": ", 2) == 0 &&
            hf_slice_is(call->headers[i].value, wanted + size + 2)) {
            return true;
        }
    }
    return false;
}

static bool is_asked(const struct exchange *exchange, const struct hf_detection_call *call)
{
    const char *method = call->method != NULL ? call->method : "GET";
    size_t size = strlen(method);
    bool is_it = strncmp(exchange->request, method, size) == 0 &&
                 strcmp(exchange->request + size + 1, call->url) == 0;
    for (size_t i = 0; i < 2; i++) {
        is_it = is_it && (exchange->headers[i] == NULL || has_header(call, exchange->headers[i]));
    }
    return is_it &&
           (exchange->body == NULL ? call->body == NULL
                                   : call->body != NULL && strcmp(exchange->body, call->body) == 0);
}

static enum hf_status answer(struct hf_detection *detection, const struct hf_detection_call *call,
                             struct hf_slice *ret_body)
{
    (void)detection;
    for (size_t i = 0; i < 8 && current->exchanges[i].request != NULL; i++) {
        if (is_asked(&current->exchanges[i], call)) {
            *ret_body = hf_slice_text(current->exchanges[i].answer);
            return HF_OK;
        }
    }
    return HF_NOT_FOUND;
}

static void check(const struct scenario *scenario, struct hf_detector_config *config,
                  enum hf_status wanted)
{
    struct hf_detection detection = {.detector = scenario->detector,
                                     .config = config,
                                     .fetch = answer,
                                     .arena = {.limit = HF_DETECTION_LIMIT_BYTES}};
    size_t count = 0;
    current = scenario;
    config->protocol = scenario->protocol;
    detection.found.lender = &detection.arena;
    detection.maker.arena = &detection.arena;
    assert_int_equal(scenario->detector->detect(&detection), wanted);
    if (wanted == HF_OK) {
        for (; count < 11 && scenario->expected[count].key != NULL; count++) {
            const struct hf_attribute *found =
                hf_attributes_find(&detection.found, hf_slice_text(scenario->expected[count].key));
            if (found == NULL ||
                !hf_slice_is(hf_any_read(found->value).bytes, scenario->expected[count].value)) {
                print_error("%s: %s\n", scenario->detector->name, scenario->expected[count].key);
            }
            assert_non_null(found);
            assert_true(
                hf_slice_is(hf_any_read(found->value).bytes, scenario->expected[count].value));
        }
        assert_int_equal(detection.found.count, count);
    }
    hf_arena_release(&detection.arena);
}

#define LOCAL "http://169.254.169.254"
#define ALIBABA "http://100.100.100.200/latest/"
#define ALIBABA_TOKEN                                                                              \
    {                                                                                              \
        "x-aliyun-ecs-metadata-token: T"                                                           \
    }
#define CLASSIC "https://api.service.softlayer.com/rest/v3.1/SoftLayer_Resource_Metadata/"
#define TENCENT "http://metadata.tencentyun.com/latest/meta-data/"
#define VPC "https://api.metadata.cloud.ibm.com"

static const struct scenario scenarios[] = {
    {.detector = &hf_detector_akamai,
     .exchanges =
         {{"PUT " LOCAL "/v1/token", {"metadata-token-expiry-seconds: 3600"}, NULL, "[\"T\"]"},
          {"GET " LOCAL "/v1/instance",
           {"metadata-token: T", "accept: application/json"},
           NULL,
           "{\"id\": 42, \"label\": \"web\", \"region\": \"us-east\", \"type\": \"g6\","
           "\"account_euuid\": \"A\", \"image\": {\"id\": \"i\", \"label\": \"Debian\"}}"}},
     .expected = {{"cloud.provider", "akamai_cloud"},
                  {"cloud.platform", "akamai_cloud.compute"},
                  {"cloud.account.id", "A"},
                  {"cloud.region", "us-east"},
                  {"host.id", "42"},
                  {"host.image.id", "i"},
                  {"host.image.name", "Debian"},
                  {"host.name", "web"},
                  {"host.type", "g6"}}},
    {.detector = &hf_detector_alibaba_ecs,
     .exchanges = {{"PUT " ALIBABA "api/token",
                    {"x-aliyun-ecs-metadata-token-ttl-seconds: 21600"},
                    NULL,
                    "T"},
                   {"GET " ALIBABA "meta-data/instance-id", ALIBABA_TOKEN, NULL, "i-1"},
                   {"GET " ALIBABA "meta-data/owner-account-id", ALIBABA_TOKEN, NULL, "1"},
                   {"GET " ALIBABA "meta-data/region-id", ALIBABA_TOKEN, NULL, "cn-x"},
                   {"GET " ALIBABA "meta-data/zone-id", ALIBABA_TOKEN, NULL, "cn-x-a"},
                   {"GET " ALIBABA "meta-data/image-id", ALIBABA_TOKEN, NULL, "m-1"},
                   {"GET " ALIBABA "meta-data/hostname", ALIBABA_TOKEN, NULL, "web\n"},
                   {"GET " ALIBABA "meta-data/instance/instance-type", ALIBABA_TOKEN, NULL, "e"}},
     .expected = {{"cloud.provider", "alibaba_cloud"},
                  {"cloud.platform", "alibaba_cloud_ecs"},
                  {"cloud.account.id", "1"},
                  {"cloud.region", "cn-x"},
                  {"cloud.availability_zone", "cn-x-a"},
                  {"host.id", "i-1"},
                  {"host.image.id", "m-1"},
                  {"host.name", "web"},
                  {"host.type", "e"}}},
    {.detector = &hf_detector_digitalocean,
     .exchanges = {{"GET " LOCAL "/metadata/v1.json",
                    {NULL},
                    NULL,
                    "{\"droplet_id\": 7, \"hostname\": \"web\", \"region\": \"nyc3\"}"}},
     .expected = {{"cloud.provider", "digitalocean"},
                  {"host.id", "7"},
                  {"host.name", "web"},
                  {"cloud.region", "nyc3"}}},
    {.detector = &hf_detector_hetzner,
     .exchanges = {{"GET " LOCAL "/hetzner/v1/metadata/hostname", {NULL}, NULL, "web"},
                   {"GET " LOCAL "/hetzner/v1/metadata/instance-id", {NULL}, NULL, "9"},
                   {"GET " LOCAL "/hetzner/v1/metadata/region", {NULL}, NULL, "eu-central"}},
     .expected = {{"cloud.provider", "hetzner"},
                  {"host.id", "9"},
                  {"host.name", "web"},
                  {"cloud.region", "eu-central"}}},
    {.detector = &hf_detector_ibmcloud_classic,
     .exchanges = {{"GET " CLASSIC "getId.txt", {NULL}, NULL, "5\n"},
                   {"GET " CLASSIC "getAccountId.txt", {NULL}, NULL, "A"},
                   {"GET " CLASSIC "getDatacenter.txt", {NULL}, NULL, "dal10"},
                   {"GET " CLASSIC "getGlobalIdentifier.txt", {NULL}, NULL, "G"},
                   {"GET " CLASSIC "getHostname.txt", {NULL}, NULL, "web"}},
     .expected = {{"cloud.provider", "ibm_cloud"},
                  {"cloud.platform", "ibm_cloud.classic"},
                  {"cloud.account.id", "A"},
                  {"cloud.availability_zone", "dal10"},
                  {"cloud.resource_id", "G"},
                  {"host.id", "5"},
                  {"host.name", "web"}}},
    {.detector = &hf_detector_ibmcloud_vpc,
     .protocol = "https",
     .exchanges =
         {{"PUT " VPC "/identity/v1/token?version=2026-01-30",
           {"metadata-flavor: ibm"},
           "{\"expires_in\":300}",
           "{\"access_token\": \"T\", \"expires_in\": 300}"},
          {"GET " VPC "/metadata/v1/instance?version=2026-01-30",
           {"authorization: Bearer T"},
           NULL,
           "{\"id\": \"i\", \"crn\": \"crn:v1:bluemix:public:is:us-south-1:a/12::instance:i\","
           "\"name\": \"web\", \"profile\": {\"name\": \"bx2\"}, \"zone\": {\"name\": "
           "\"us-south-1\"}, \"image\": {\"id\": \"m\", \"name\": \"debian\"}}"}},
     .expected = {{"cloud.provider", "ibm_cloud"},
                  {"cloud.platform", "ibm_cloud.vpc"},
                  {"cloud.account.id", "12"},
                  {"cloud.region", "us-south"},
                  {"cloud.availability_zone", "us-south-1"},
                  {"cloud.resource_id", "crn:v1:bluemix:public:is:us-south-1:a/12::instance:i"},
                  {"host.id", "i"},
                  {"host.image.id", "m"},
                  {"host.image.name", "debian"},
                  {"host.name", "web"},
                  {"host.type", "bx2"}}},
    {.detector = &hf_detector_nova,
     .exchanges = {{"GET " LOCAL "/openstack/latest/meta_data.json",
                    {NULL},
                    NULL,
                    "{\"uuid\": \"u\", \"project_id\": \"p\", \"availability_zone\": \"nova\","
                    "\"hostname\": \"web\", \"meta\": {\"team\": \"core\", \"other\": \"x\"}}"},
                   {"GET " LOCAL "/latest/meta-data/instance-type", {NULL}, NULL, "m1.tiny\n"}},
     .expected = {{"cloud.provider", "openstack"},
                  {"cloud.platform", "openstack_nova"},
                  {"cloud.account.id", "p"},
                  {"cloud.availability_zone", "nova"},
                  {"host.id", "u"},
                  {"host.name", "web"},
                  {"host.type", "m1.tiny"},
                  {"openstack.nova.meta.team", "core"}}},
    {.detector = &hf_detector_oraclecloud,
     .exchanges = {{"GET " LOCAL "/opc/v2/instance/",
                    {"authorization: Bearer Oracle"},
                    NULL,
                    "{\"id\": \"ocid1\", \"displayName\": \"web\", \"shape\": \"VM\","
                    "\"canonicalRegionName\": \"us-ashburn-1\", \"availabilityDomain\": \"AD-1\","
                    "\"metadata\": {\"oke-cluster-display-name\": \"c\", \"realm\": \"oc1\"}}"}},
     .expected = {{"cloud.provider", "oracle_cloud"},
                  {"cloud.platform", "oracle_cloud_oke"},
                  {"cloud.region", "us-ashburn-1"},
                  {"cloud.availability_zone", "AD-1"},
                  {"host.id", "ocid1"},
                  {"host.name", "web"},
                  {"host.type", "VM"},
                  {"k8s.cluster.name", "c"},
                  {"oracle_cloud.realm", "oc1"}}},
    {.detector = &hf_detector_scaleway,
     .exchanges =
         {{"GET http://[fd00:42::42]/conf?format=json",
           {NULL},
           NULL,
           "{\"id\": \"s\", \"name\": \"web\", \"organization\": \"o\", \"commercial_type\":"
           "\"DEV1\", \"image\": {\"id\": \"m\", \"name\": \"Debian\"},"
           "\"location\": {\"zone_id\": \"fr-par-1\"}}"}},
     .expected = {{"cloud.provider", "scaleway_cloud"},
                  {"cloud.platform", "scaleway_cloud_compute"},
                  {"cloud.account.id", "o"},
                  {"cloud.region", "fr-par"},
                  {"cloud.availability_zone", "fr-par-1"},
                  {"host.id", "s"},
                  {"host.image.id", "m"},
                  {"host.image.name", "Debian"},
                  {"host.name", "web"},
                  {"host.type", "DEV1"}}},
    {.detector = &hf_detector_tencent_cvm,
     .exchanges = {{"GET " TENCENT "instance-id", {NULL}, NULL, "ins-1"},
                   {"GET " TENCENT "app-id", {NULL}, NULL, "125"},
                   {"GET " TENCENT "placement/region", {NULL}, NULL, "ap-x"},
                   {"GET " TENCENT "placement/zone", {NULL}, NULL, "ap-x-1"},
                   {"GET " TENCENT "instance/image-id", {NULL}, NULL, "img"},
                   {"GET " TENCENT "instance-name", {NULL}, NULL, "web"},
                   {"GET " TENCENT "instance/instance-type", {NULL}, NULL, "S5"}},
     .expected = {{"cloud.provider", "tencent_cloud"},
                  {"cloud.platform", "tencent_cloud_cvm"},
                  {"cloud.account.id", "125"},
                  {"cloud.region", "ap-x"},
                  {"cloud.availability_zone", "ap-x-1"},
                  {"host.id", "ins-1"},
                  {"host.image.id", "img"},
                  {"host.name", "web"},
                  {"host.type", "S5"}}},
    {.detector = &hf_detector_upcloud,
     .exchanges = {{"GET " LOCAL "/metadata/v1.json",
                    {NULL},
                    NULL,
                    "{\"cloud_name\": \"upcloud\", \"hostname\": \"web\", \"instance_id\": \"00\","
                    "\"region\": \"us-chi1\"}"}},
     .expected = {{"cloud.provider", "upcloud"},
                  {"cloud.region", "us-chi1"},
                  {"host.id", "00"},
                  {"host.name", "web"}}},
    {.detector = &hf_detector_vultr,
     .exchanges = {{"GET " LOCAL "/v1.json",
                    {NULL},
                    NULL,
                    "{\"hostname\": \"web\", \"instanceid\": \"old\", \"instance-v2-id\": \"new\","
                    "\"region\": {\"regioncode\": \"EWR\"}}"}},
     .expected = {{"cloud.provider", "vultr"},
                  {"cloud.region", "ewr"},
                  {"host.id", "new"},
                  {"host.name", "web"}}},
};

static const char *const labels[] = {"^team$"};

static void each_service_tells_of_its_machine(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct hf_detector_config config = {.labels = {labels, 1}};
        check(&scenarios[i], &config, HF_OK);
    }
}

/* Two clouds have the same address: a document without the machine is another's. */
static void another_clouds_answer_is_none(void **state)
{
    struct scenario scenario = scenarios[0];
    (void)state;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct hf_detector_config config = {.labels = {labels, 1}};
        scenario.detector = scenarios[i].detector;
        scenario.exchanges[0] = (struct exchange){NULL, {NULL}, NULL, NULL};
        check(&scenario, &config, HF_NOT_FOUND);
    }
    scenario = (struct scenario){
        .detector = &hf_detector_upcloud,
        .exchanges = {{"GET " LOCAL "/metadata/v1.json", {NULL}, NULL, "{\"droplet_id\": 7}"}}};
    check(&scenario, &(struct hf_detector_config){.protocol = NULL}, HF_NOT_FOUND);
}

static void attributes_are_on_or_off_as_configured(void **state)
{
    static const char *const keys[] = {"cloud.platform", "cloud.region"};
    static const struct hf_detector_attribute_config values[] = {{true}, {false}};
    struct hf_detector_config config = {
        .resource_attributes = {.keys = keys, .items = values, .count = 2}};
    struct scenario scenario = {.detector = &hf_detector_vultr,
                                .expected = {{"cloud.provider", "vultr"},
                                             {"cloud.platform", "vultr.cloud_compute"},
                                             {"host.id", "old"},
                                             {"host.name", "web"}}};
    (void)state;
    scenario.exchanges[0] = (struct exchange){
        "GET " LOCAL "/v1.json", {NULL}, NULL, "{\"hostname\": \"web\", \"instanceid\": \"old\"}"};
    check(&scenario, &config, HF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_service_tells_of_its_machine),
        cmocka_unit_test(another_clouds_answer_is_none),
        cmocka_unit_test(attributes_are_on_or_off_as_configured),
    };
    return cmocka_run_group_tests_name("detect_hosters", tests, NULL, NULL);
}
