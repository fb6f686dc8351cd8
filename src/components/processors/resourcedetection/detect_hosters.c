/* The detectors of clouds with a metadata service: where it is, and what it tells. */
#include <ctype.h>
#include <string.h>

#include "detect.h"
#include "detect_metadata.h"
#include "pdata/json_any.h"

#define LINK_LOCAL "http://169.254.169.254"

#define FIXED(name, value)                                                                         \
    {                                                                                              \
        .attribute = (name), .text = (value)                                                       \
    }
#define TOLD(name, path)                                                                           \
    {                                                                                              \
        .attribute = (name), .from = (path)                                                        \
    }
/* By the function `more`. */
#define MADE(name)                                                                                 \
    {                                                                                              \
        .attribute = (name)                                                                        \
    }
#define END                                                                                        \
    {                                                                                              \
        .attribute = NULL                                                                          \
    }

#define DETECTOR(symbol, type)                                                                     \
    const struct hf_detector hf_detector_##symbol = {                                              \
        .name = (type), .service = &symbol##_service, .detect = hf_metadata_detect}

/* "fr-par-1" is a zone of the region "fr-par". */
static struct hf_slice region_of(struct hf_slice zone)
{
    const uint8_t *dash = zone.size > 0 ? memrchr(zone.data, '-', zone.size) : NULL;
    return dash != NULL ? hf_slice_of(zone.data, (size_t)(dash - zone.data)) : HF_EMPTY_SLICE;
}

/* ---- Akamai, once Linode ---- */

static const struct hf_metadata_token akamai_token = {
    .url = LINK_LOCAL "/v1/token",
    .header = "metadata-token-expiry-seconds",
    .value = "3600",
    .into = "metadata-token",
};

static const struct hf_metadata_value akamai_values[] = {
    FIXED("cloud.provider", "akamai_cloud"),
    FIXED("cloud.platform", "akamai_cloud.compute"),
    TOLD("host.id", "id"),
    TOLD("cloud.account.id", "account_euuid"),
    TOLD("cloud.region", "region"),
    TOLD("host.image.id", "image.id"),
    TOLD("host.image.name", "image.label"),
    TOLD("host.name", "label"),
    TOLD("host.type", "type"),
    END,
};

static const struct hf_metadata_service akamai_service = {
    .url = LINK_LOCAL "/v1/instance",
    .is_document = true,
    .token = &akamai_token,
    .values = akamai_values,
};

DETECTOR(akamai, "akamai");

/* ---- Alibaba Cloud ---- */

static const struct hf_metadata_token alibaba_ecs_token = {
    .url = "http://100.100.100.200/latest/api/token",
    .header = "x-aliyun-ecs-metadata-token-ttl-seconds",
    .value = "21600",
    .into = "x-aliyun-ecs-metadata-token",
};

static const struct hf_metadata_value alibaba_ecs_values[] = {
    FIXED("cloud.provider", "alibaba_cloud"),
    FIXED("cloud.platform", "alibaba_cloud_ecs"),
    TOLD("host.id", "instance-id"),
    TOLD("cloud.account.id", "owner-account-id"),
    TOLD("cloud.region", "region-id"),
    TOLD("cloud.availability_zone", "zone-id"),
    TOLD("host.image.id", "image-id"),
    TOLD("host.name", "hostname"),
    TOLD("host.type", "instance/instance-type"),
    END,
};

static const struct hf_metadata_service alibaba_ecs_service = {
    .url = "http://100.100.100.200/latest/meta-data/",
    .token = &alibaba_ecs_token,
    .values = alibaba_ecs_values,
};

DETECTOR(alibaba_ecs, "alibaba_ecs");

/* ---- DigitalOcean ---- */

static const struct hf_metadata_value digitalocean_values[] = {
    FIXED("cloud.provider", "digitalocean"),
    TOLD("host.id", "droplet_id"),
    TOLD("host.name", "hostname"),
    TOLD("cloud.region", "region"),
    END,
};

static const struct hf_metadata_service digitalocean_service = {
    .url = LINK_LOCAL "/metadata/v1.json", .is_document = true, .values = digitalocean_values};

DETECTOR(digitalocean, "digitalocean");

/* ---- Hetzner ---- */

static const struct hf_metadata_value hetzner_values[] = {
    FIXED("cloud.provider", "hetzner"),
    {.attribute = "cloud.platform", .text = "hetzner.cloud_server", .is_off = true},
    TOLD("host.name", "hostname"),
    TOLD("host.id", "instance-id"),
    TOLD("cloud.region", "region"),
    TOLD("cloud.availability_zone", "availability-zone"),
    END,
};

static const struct hf_metadata_service hetzner_service = {
    .url = LINK_LOCAL "/hetzner/v1/metadata/", .values = hetzner_values};

DETECTOR(hetzner, "hetzner");

/* ---- IBM Cloud ---- */

static const struct hf_metadata_value ibmcloud_classic_values[] = {
    FIXED("cloud.provider", "ibm_cloud"),
    FIXED("cloud.platform", "ibm_cloud.classic"),
    TOLD("host.id", "getId.txt"),
    TOLD("cloud.account.id", "getAccountId.txt"),
    TOLD("cloud.availability_zone", "getDatacenter.txt"),
    TOLD("cloud.resource_id", "getGlobalIdentifier.txt"),
    TOLD("host.name", "getHostname.txt"),
    END,
};

static const struct hf_metadata_service ibmcloud_classic_service = {
    .url = "https://api.service.softlayer.com/rest/v3.1/SoftLayer_Resource_Metadata/",
    .values = ibmcloud_classic_values};

DETECTOR(ibmcloud_classic, "ibmcloud_classic");

#define IBM_VPC "http://api.metadata.cloud.ibm.com"
#define IBM_VPC_VERSION "?version=2026-01-30"

static const struct hf_metadata_token ibmcloud_vpc_token = {
    .url = IBM_VPC "/identity/v1/token" IBM_VPC_VERSION,
    .header = "metadata-flavor",
    .value = "ibm",
    .body = "{\"expires_in\":300}",
    .from = "access_token",
    .into = "authorization",
    .prefix = "Bearer ",
};

/* "crn:v1:bluemix:public:is:us-south-1:a/123456::instance:ID" */
static struct hf_slice account_of(struct hf_slice crn)
{
    for (unsigned colons = 0; colons < 6; colons++) {
        const uint8_t *colon = crn.size > 0 ? memchr(crn.data, ':', crn.size) : NULL;
        if (colon == NULL) {
            return HF_EMPTY_SLICE;
        }
        crn = hf_slice_of(colon + 1, crn.size - (size_t)(colon - crn.data) - 1);
    }
    const uint8_t *end = crn.size > 0 ? memchr(crn.data, ':', crn.size) : NULL;
    crn.size = end != NULL ? (size_t)(end - crn.data) : crn.size;
    bool is_account = crn.size >= 2 && memcmp(crn.data, "a/", 2) == 0;
    return is_account ? hf_slice_of(crn.data + 2, crn.size - 2) : crn;
}

static void more_of_ibmcloud_vpc(struct hf_detection *detection, struct hf_slice document)
{
    struct hf_slice zone = hf_json_any_text(&detection->maker, document, "zone.name");
    struct hf_slice region = region_of(zone);
    hf_detection_set(detection, "cloud.region", region.size > 0 ? region : zone);
    hf_detection_set(detection, "cloud.account.id",
                     account_of(hf_json_any_text(&detection->maker, document, "crn")));
}

static const struct hf_metadata_value ibmcloud_vpc_values[] = {
    FIXED("cloud.provider", "ibm_cloud"),
    FIXED("cloud.platform", "ibm_cloud.vpc"),
    TOLD("host.id", "id"),
    MADE("cloud.account.id"),
    MADE("cloud.region"),
    TOLD("cloud.availability_zone", "zone.name"),
    TOLD("cloud.resource_id", "crn"),
    TOLD("host.image.id", "image.id"),
    TOLD("host.image.name", "image.name"),
    TOLD("host.name", "name"),
    TOLD("host.type", "profile.name"),
    END,
};

static const struct hf_metadata_service ibmcloud_vpc_service = {
    .url = IBM_VPC "/metadata/v1/instance" IBM_VPC_VERSION,
    .is_document = true,
    .token = &ibmcloud_vpc_token,
    .values = ibmcloud_vpc_values,
    .more = more_of_ibmcloud_vpc,
};

DETECTOR(ibmcloud_vpc, "ibmcloud_vpc");

/* ---- OpenStack ---- */

/* What users have said of the machine. */
static void set_nova_labels(struct hf_detection *detection, struct hf_slice document)
{
    struct hf_any map = hf_any_read(document);
    struct hf_slice meta;
    struct hf_any_pair pair;
    if (!hf_any_look_up(&map, hf_slice_text("meta"), &meta)) {
        return;
    }
    struct hf_any labels = hf_any_read(meta);
    struct hf_wire items = hf_any_items(&labels);
    while (labels.type == HF_ANY_MAP && hf_any_next_pair(&items, &pair)) {
        if (hf_detection_matches(&detection->config->labels, pair.key)) {
            struct hf_any value = hf_any_read(pair.value);
            hf_detection_set_named(detection, "openstack.nova.meta.", pair.key, value.bytes);
        }
    }
}

static void more_of_nova(struct hf_detection *detection, struct hf_slice document)
{
    const struct hf_detection_call call = {.url = LINK_LOCAL "/latest/meta-data/instance-type"};
    struct hf_slice type;
    if (hf_detection_wants(detection, "host.type") &&
        hf_detection_fetch(detection, &call, &type) == HF_OK) {
        hf_detection_set(detection, "host.type", hf_detection_trimmed(type));
    }
    set_nova_labels(detection, document);
}

static const struct hf_metadata_value nova_values[] = {
    FIXED("cloud.provider", "openstack"),
    FIXED("cloud.platform", "openstack_nova"),
    TOLD("host.id", "uuid"),
    TOLD("cloud.account.id", "project_id"),
    TOLD("cloud.availability_zone", "availability_zone"),
    TOLD("host.name", "hostname"),
    MADE("host.type"),
    END,
};

static const struct hf_metadata_service nova_service = {
    .url = LINK_LOCAL "/openstack/latest/meta_data.json",
    .is_document = true,
    .values = nova_values,
    .more = more_of_nova,
};

DETECTOR(nova, "nova");

/* ---- Oracle Cloud ---- */

static const struct hf_metadata_value oraclecloud_values[] = {
    FIXED("cloud.provider", "oracle_cloud"),
    FIXED("cloud.platform", "oracle_cloud_oke"),
    TOLD("host.id", "id"),
    TOLD("cloud.region", "canonicalRegionName"),
    TOLD("cloud.availability_zone", "availabilityDomain"),
    {.attribute = "cloud.resource_id", .from = "id", .is_off = true},
    TOLD("host.name", "displayName"),
    TOLD("host.type", "shape"),
    TOLD("k8s.cluster.name", "metadata.oke-cluster-display-name"),
    TOLD("oracle_cloud.realm", "metadata.realm"),
    END,
};

static const struct hf_metadata_service oraclecloud_service = {
    .url = LINK_LOCAL "/opc/v2/instance/",
    .is_document = true,
    .header = "authorization",
    .header_value = "Bearer Oracle",
    .values = oraclecloud_values,
};

DETECTOR(oraclecloud, "oraclecloud");

/* ---- Scaleway ---- */

static void more_of_scaleway(struct hf_detection *detection, struct hf_slice document)
{
    hf_detection_set(detection, "cloud.region",
                     region_of(hf_json_any_text(&detection->maker, document, "location.zone_id")));
}

static const struct hf_metadata_value scaleway_values[] = {
    FIXED("cloud.provider", "scaleway_cloud"),
    FIXED("cloud.platform", "scaleway_cloud_compute"),
    TOLD("host.id", "id"),
    TOLD("cloud.account.id", "organization"),
    TOLD("cloud.availability_zone", "location.zone_id"),
    MADE("cloud.region"),
    TOLD("host.image.id", "image.id"),
    TOLD("host.image.name", "image.name"),
    TOLD("host.name", "name"),
    TOLD("host.type", "commercial_type"),
    END,
};

static const struct hf_metadata_service scaleway_service = {
    .url = "http://169.254.42.42/conf?format=json",
    .other_url = "http://[fd00:42::42]/conf?format=json",
    .is_document = true,
    .values = scaleway_values,
    .more = more_of_scaleway,
};

DETECTOR(scaleway, "scaleway");

/* ---- Tencent Cloud ---- */

static const struct hf_metadata_value tencent_cvm_values[] = {
    FIXED("cloud.provider", "tencent_cloud"),
    FIXED("cloud.platform", "tencent_cloud_cvm"),
    TOLD("host.id", "instance-id"),
    TOLD("cloud.account.id", "app-id"),
    TOLD("cloud.region", "placement/region"),
    TOLD("cloud.availability_zone", "placement/zone"),
    TOLD("host.image.id", "instance/image-id"),
    TOLD("host.name", "instance-name"),
    TOLD("host.type", "instance/instance-type"),
    END,
};

static const struct hf_metadata_service tencent_cvm_service = {
    .url = "http://metadata.tencentyun.com/latest/meta-data/", .values = tencent_cvm_values};

DETECTOR(tencent_cvm, "tencent_cvm");

/* ---- UpCloud ---- */

static const struct hf_metadata_value upcloud_values[] = {
    TOLD("host.id", "instance_id"),
    TOLD("cloud.provider", "cloud_name"),
    TOLD("cloud.region", "region"),
    TOLD("host.name", "hostname"),
    END,
};

static const struct hf_metadata_service upcloud_service = {
    .url = LINK_LOCAL "/metadata/v1.json", .is_document = true, .values = upcloud_values};

DETECTOR(upcloud, "upcloud");

/* ---- Vultr ---- */

static void more_of_vultr(struct hf_detection *detection, struct hf_slice document)
{
    struct hf_slice id = hf_json_any_text(&detection->maker, document, "instance-v2-id");
    struct hf_slice code = hf_json_any_text(&detection->maker, document, "region.regioncode");
    uint8_t *region = hf_arena_take(&detection->arena, code.size);
    for (size_t i = 0; region != NULL && i < code.size; i++) {
        region[i] = (uint8_t)tolower(code.data[i]);
    }
    hf_detection_set(detection, "cloud.region", hf_slice_of(region, region ? code.size : 0));
    hf_detection_set(detection, "host.id",
                     id.size > 0 ? id
                                 : hf_json_any_text(&detection->maker, document, "instanceid"));
}

static const struct hf_metadata_value vultr_values[] = {
    FIXED("cloud.provider", "vultr"),
    {.attribute = "cloud.platform", .text = "vultr.cloud_compute", .is_off = true},
    TOLD("host.name", "hostname"),
    MADE("cloud.region"),
    MADE("host.id"),
    END,
};

static const struct hf_metadata_service vultr_service = {.url = LINK_LOCAL "/v1.json",
                                                         .is_document = true,
                                                         .values = vultr_values,
                                                         .more = more_of_vultr};

DETECTOR(vultr, "vultr");
