/* Which targets the objects of a cluster become, and with which labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "components/receivers/prometheus/kube_targets.h"

#define PREFIX "__meta_kubernetes_"
#define ROOM 16384

struct object {
    enum prom_kube_kind kind;
    const char *json;
};

static void put(struct prom_kube_store *store, const struct object *object, const char *uid)
{
    struct hf_arena arena = {.limit = 1u << 20};
    const struct hf_json *json = NULL;
    char why[HF_JSON_ERROR_MAX];
    assert_int_equal(hf_json_read(hf_slice_text(object->json), &arena, &json, why), HF_OK);
    assert_true(prom_kube_put(store, object->kind, hf_slice_text(uid), json));
    hf_arena_release(&arena);
}

/* A line a target: its labels by name, without the common prefix. */
static void show(const struct prom_kube_store *store, const struct prom_kube_sd *config, char *out)
{
    struct hf_arena arena = {.limit = 8u << 20};
    struct prom_found *found = NULL;
    size_t count = 0, size = 0;
    assert_true(prom_kube_targets(store, config, &arena, &found, &count));
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        struct hf_prom_label *labels = malloc(found[i].count * sizeof(*labels));
        assert_non_null(labels);
        memcpy(labels, found[i].labels, found[i].count * sizeof(*labels));
        qsort(labels, found[i].count, sizeof(*labels), hf_slice_order);
        for (size_t k = 0; k < found[i].count; k++) {
            struct hf_slice name = labels[k].name;
            bool is_meta = hf_prom_has_prefix(name, PREFIX, sizeof(PREFIX) - 1);
            size_t skip = is_meta ? sizeof(PREFIX) - 1 : 0;
            size += (size_t)snprintf(out + size, ROOM - size, "%s%.*s=%.*s", k != 0 ? " " : "",
                                     (int)(name.size - skip), (const char *)name.data + skip,
                                     (int)labels[k].value.size, (const char *)labels[k].value.data);
        }
        size += (size_t)snprintf(out + size, ROOM - size, "\n");
        free(labels);
    }
    hf_arena_release(&arena);
}

static void expect(const struct prom_kube_sd *config, const struct object *objects, size_t count,
                   const char *expected)
{
    static char out[ROOM];
    struct prom_kube_store store = {.count = 0};
    for (size_t i = 0; i < count; i++) {
        char uid[32];
        snprintf(uid, sizeof(uid), "uid-%zu", i);
        put(&store, &objects[i], uid);
    }
    show(&store, config, out);
    assert_string_equal(out, expected);
    prom_kube_release(&store);
    assert_int_equal(store.count, 0);
}

#define POD                                                                                        \
    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"uid\":\"u\",\"managedFields\":[1],"       \
    "\"labels\":{\"a/b\":\"c\"},\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"j\","            \
    "\"controller\":true}]},\"spec\":{\"nodeName\":\"w\",\"containers\":[{\"name\":\"x\","         \
    "\"image\":\"i:1\",\"ports\":[{\"name\":\"web\",\"containerPort\":80,\"protocol\":\"TCP\"},"   \
    "{\"containerPort\":81}]},{\"name\":\"y\",\"image\":\"i:2\"}]},\"status\":{\"podIP\":"         \
    "\"10.0.0.1\",\"phase\":\"Running\",\"hostIP\":\"10.9.9.9\",\"conditions\":[{\"type\":"        \
    "\"Ready\",\"status\":\"True\"}],\"containerStatuses\":[{\"name\":\"x\",\"containerID\":"      \
    "\"c://1\"}]}}"

#define POD_LABELS_1 "namespace=n pod_container_"
#define POD_LABELS_2                                                                               \
    " pod_controller_kind=Job pod_controller_name=j pod_host_ip=10.9.9.9 pod_ip=10.0.0.1 "         \
    "pod_label_a_b=c pod_labelpresent_a_b=true pod_name=p pod_node_name=w pod_phase=Running "      \
    "pod_ready=true pod_uid=u\n"

static void each_port_of_a_pod_is_a_target(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_POD, POD},
        {PROM_KIND_POD, "{\"metadata\":{\"name\":\"q\"},\"status\":{\"phase\":\"Pending\"}}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_POD}, objects, 2,
           "__address__=10.0.0.1:80 " POD_LABELS_1
           "id=c://1 pod_container_image=i:1 pod_container_init=false pod_container_name=x "
           "pod_container_port_name=web pod_container_port_number=80 "
           "pod_container_port_protocol=TCP" POD_LABELS_2 "__address__=10.0.0.1:81 " POD_LABELS_1
           "id=c://1 pod_container_image=i:1 pod_container_init=false pod_container_name=x "
           "pod_container_port_number=81 pod_container_port_protocol=TCP" POD_LABELS_2
           "__address__=10.0.0.1 " POD_LABELS_1
           "image=i:2 pod_container_init=false pod_container_name=y" POD_LABELS_2);
}

static void nodes_have_the_best_of_their_addresses(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_NODE,
         "{\"metadata\":{\"name\":\"w\",\"annotations\":{\"k\":\"v\"}},\"spec\":{\"providerID\":"
         "\"aws:///1\"},\"status\":{\"addresses\":[{\"type\":\"Hostname\",\"address\":\"h\"},"
         "{\"type\":\"InternalIP\",\"address\":\"fe80::1\"},{\"type\":\"InternalIP\",\"address\":"
         "\"10.0.0.2\"}],\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":10250}}}}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_NODE}, objects, 1,
           "__address__=[fe80::1]:10250 node_address_Hostname=h node_address_InternalIP=fe80::1 "
           "node_annotation_k=v node_annotationpresent_k=true node_name=w "
           "node_provider_id=aws:///1 instance=w\n");
}

static void services_are_asked_by_their_name(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_SERVICE,
         "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\"},\"spec\":{\"type\":\"ClusterIP\","
         "\"clusterIP\":\"10.1.0.1\",\"ports\":[{\"name\":\"m\",\"port\":9090,\"protocol\":"
         "\"TCP\"}]}}"},
        {PROM_KIND_SERVICE,
         "{\"metadata\":{\"name\":\"e\",\"namespace\":\"n\"},\"spec\":{\"type\":\"ExternalName\","
         "\"externalName\":\"x.org\",\"ports\":[{\"port\":1,\"protocol\":\"TCP\"}]}}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_SERVICE}, objects, 2,
           "__address__=e.n.svc:1 namespace=n service_external_name=x.org service_name=e "
           "service_port_number=1 service_port_protocol=TCP service_type=ExternalName\n"
           "__address__=s.n.svc:9090 namespace=n service_cluster_ip=10.1.0.1 service_name=s "
           "service_port_name=m service_port_number=9090 service_port_protocol=TCP "
           "service_type=ClusterIP\n");
}

static void slices_are_joined_with_pods_and_their_service(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_SERVICE,
         "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\",\"labels\":{\"t\":\"1\"}}}"},
        {PROM_KIND_ENDPOINTSLICE,
         "{\"metadata\":{\"name\":\"s-1\",\"namespace\":\"n\",\"labels\":"
         "{\"kubernetes.io/service-name\":\"s\"}},\"addressType\":\"IPv4\",\"ports\":[{\"name\":"
         "\"m\",\"port\":9,\"protocol\":\"TCP\"}],\"endpoints\":[{\"addresses\":[\"10.2.0.1\"],"
         "\"conditions\":{\"ready\":true,\"terminating\":false},\"nodeName\":\"w\",\"zone\":\"z\","
         "\"targetRef\":{\"kind\":\"Pod\",\"name\":\"gone\"}}]}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_ENDPOINTSLICE}, objects, 2,
           "__address__=10.2.0.1:9 endpointslice_address_target_kind=Pod "
           "endpointslice_address_target_name=gone endpointslice_address_type=IPv4 "
           "endpointslice_endpoint_conditions_ready=true "
           "endpointslice_endpoint_conditions_terminating=false "
           "endpointslice_endpoint_node_name=w endpointslice_endpoint_zone=z "
           "endpointslice_label_kubernetes_io_service_name=s "
           "endpointslice_labelpresent_kubernetes_io_service_name=true endpointslice_name=s-1 "
           "endpointslice_port=9 endpointslice_port_name=m endpointslice_port_protocol=TCP "
           "namespace=n service_label_t=1 service_labelpresent_t=true service_name=s\n");
}

static void ingresses_know_their_scheme(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_INGRESS,
         "{\"metadata\":{\"name\":\"i\",\"namespace\":\"n\"},\"spec\":{\"ingressClassName\":\"c\","
         "\"tls\":[{\"hosts\":[\"*.x.org\"]}],\"rules\":[{\"host\":\"a.x.org\",\"http\":{\"paths\":"
         "[{\"path\":\"/p\"}]}},{\"host\":\"b.org\"}]}}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_INGRESS}, objects, 1,
           "__address__=a.x.org ingress_class_name=c ingress_host=a.x.org ingress_name=i "
           "ingress_path=/p ingress_scheme=https namespace=n\n"
           "__address__=b.org ingress_class_name=c ingress_host=b.org ingress_name=i "
           "ingress_path=/ ingress_scheme=http namespace=n\n");
}

static void labels_stay_that_are_named_as_large_parts(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_INGRESS,
         "{\"metadata\":{\"name\":\"i\",\"namespace\":\"n\",\"labels\":{\"env\":\"prod\"},"
         "\"annotations\":{\"state\":\"x\"}},\"spec\":{\"rules\":[{\"host\":\"h\"}]}}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_INGRESS}, objects, 1,
           "__address__=h ingress_annotation_state=x ingress_annotationpresent_state=true "
           "ingress_host=h ingress_label_env=prod ingress_labelpresent_env=true ingress_name=i "
           "ingress_path=/ ingress_scheme=http namespace=n\n");
}

static void nodes_have_their_conditions(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_NODE,
         "{\"metadata\":{\"name\":\"w\"},\"status\":{\"addresses\":[{\"type\":\"Hostname\","
         "\"address\":\"h\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},"
         "{\"type\":\"DiskPressure\",\"status\":\"Unknown\"}]}}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_NODE}, objects, 1,
           "__address__=h:0 node_address_Hostname=h node_condition_diskpressure=unknown "
           "node_condition_ready=true node_name=w instance=w\n");
}

static void a_balancers_addresses_are_those_that_it_has(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_SERVICE,
         "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\"},\"spec\":{\"type\":"
         "\"LoadBalancer\",\"loadBalancerIP\":\"1.1.1.1\",\"ports\":[{\"port\":1}]},"
         "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"2.2.2.2\"},{\"hostname\":\"h\"},"
         "{\"ip\":\"3.3.3.3\"}]}}}"},
        {PROM_KIND_SERVICE,
         "{\"metadata\":{\"name\":\"t\",\"namespace\":\"n\"},\"spec\":{\"type\":"
         "\"LoadBalancer\",\"loadBalancerIP\":\"1.1.1.1\",\"ports\":[{\"port\":1}]}}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_SERVICE}, objects, 2,
           "__address__=t.n.svc:1 namespace=n service_loadbalancer_ip=1.1.1.1 service_name=t "
           "service_port_number=1 service_type=LoadBalancer\n"
           "__address__=s.n.svc:1 namespace=n service_loadbalancer_ip=2.2.2.2,3.3.3.3 "
           "service_name=s service_port_number=1 service_type=LoadBalancer\n");
}

#define OF_POD(port) "{\"name\":\"m\",\"port\":" port ",\"protocol\":\"TCP\"}"
#define POD_AT "\"targetRef\":{\"kind\":\"Pod\",\"name\":\"p\",\"namespace\":\"n\"}"
#define MANY_PORTS                                                                                 \
    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"},\"spec\":{\"nodeName\":\"w\","             \
    "\"containers\":[{\"name\":\"x\",\"ports\":[{\"name\":\"a\",\"containerPort\":80}]},"          \
    "{\"name\":\"y\",\"ports\":[{\"containerPort\":80,\"protocol\":\"UDP\"}]}],"                   \
    "\"initContainers\":[{\"name\":\"z\",\"ports\":[{\"containerPort\":7}]}]},"                    \
    "\"status\":{\"podIP\":\"10.0.0.1\"}}"
#define MANY_LABELS "pod_ip=10.0.0.1 pod_name=p pod_node_name=w pod_ready=unknown\n"

static void each_port_of_a_pod_behind_endpoints_is_a_target_once(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_POD, MANY_PORTS},
        {PROM_KIND_ENDPOINTS,
         "{\"metadata\":{\"name\":\"e\",\"namespace\":\"n\"},\"subsets\":[{\"addresses\":"
         "[{\"ip\":\"10.0.0.1\"," POD_AT "}],\"ports\":[" OF_POD(
             "80") "]},{\"addresses\":"
                   "[{\"ip\":\"10.0.0.1\"," POD_AT "}],\"ports\":[" OF_POD("9") "]}]}"}};
    /* Of two containers with one port the last one counts; 7 is a port of neither subset. */
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_ENDPOINTS}, objects, 2,
           "__address__=10.0.0.1:80 endpoint_address_target_kind=Pod "
           "endpoint_address_target_name=p endpoint_port_name=m endpoint_port_protocol=TCP "
           "endpoint_ready=true endpoints_name=e namespace=n pod_container_init=false "
           "pod_container_name=y pod_container_port_number=80 "
           "pod_container_port_protocol=TCP " MANY_LABELS
           "__address__=10.0.0.1:9 endpoint_address_target_kind=Pod "
           "endpoint_address_target_name=p endpoint_port_name=m endpoint_port_protocol=TCP "
           "endpoint_ready=true endpoints_name=e namespace=n " MANY_LABELS
           "__address__=10.0.0.1:7 endpoints_name=e namespace=n pod_container_init=true "
           "pod_container_name=z pod_container_port_number=7 "
           "pod_container_port_protocol=TCP " MANY_LABELS);
}

static void endpoints_have_the_labels_of_their_own_node(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_NODE, "{\"metadata\":{\"name\":\"w\",\"labels\":{\"k\":\"1\"}}}"},
        {PROM_KIND_NODE, "{\"metadata\":{\"name\":\"v\"}}"},
        {PROM_KIND_POD, MANY_PORTS},
        {PROM_KIND_ENDPOINTSLICE,
         "{\"metadata\":{\"name\":\"e\",\"namespace\":\"n\"},\"ports\":[" OF_POD(
             "80") "],\"endpoints\":[{\"addresses\":[\"10.0.0.3\"],\"nodeName\":\"v\","
                   "\"targetRef\":"
                   "{\"kind\":\"Node\",\"name\":\"w\"}}]}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_ENDPOINTSLICE, .attach_metadata.node = true},
           objects, 4,
           "__address__=10.0.0.3:80 endpointslice_address_target_kind=Node "
           "endpointslice_address_target_name=w endpointslice_endpoint_node_name=v "
           "endpointslice_name=e endpointslice_port=80 endpointslice_port_name=m "
           "endpointslice_port_protocol=TCP namespace=n node_label_k=1 node_labelpresent_k=true "
           "node_name=w\n");
}

static void the_slice_of_a_services_second_family_is_left_out(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_SERVICE,
         "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\"},\"spec\":{\"ipFamilyPolicy\":"
         "\"PreferDualStack\",\"ipFamilies\":[\"IPv4\",\"IPv6\"]}}"},
        {PROM_KIND_ENDPOINTSLICE,
         "{\"metadata\":{\"name\":\"e\",\"namespace\":\"n\",\"labels\":"
         "{\"kubernetes.io/service-name\":\"s\"}},\"addressType\":\"IPv6\",\"ports\":[" OF_POD(
             "80") "],\"endpoints\":[{\"addresses\":[\"fd00::1\"]}]}"}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_ENDPOINTSLICE}, objects, 2, "");
}

static void pods_on_nodes_that_are_not_watched_are_left_out(void **state)
{
    (void)state;
    const struct object objects[] = {{PROM_KIND_POD, POD}};
    expect(&(struct prom_kube_sd){.role = PROM_KUBE_POD, .attach_metadata.node = true}, objects, 1,
           "");
}

static void pods_know_who_made_their_controller(void **state)
{
    (void)state;
    const struct object objects[] = {
        {PROM_KIND_JOB,
         "{\"metadata\":{\"name\":\"j\",\"namespace\":\"n\",\"ownerReferences\":[{\"kind\":"
         "\"CronJob\",\"name\":\"night\",\"controller\":true}]}}"},
        {PROM_KIND_REPLICASET,
         "{\"metadata\":{\"name\":\"r\",\"namespace\":\"n\",\"ownerReferences\":[{\"kind\":"
         "\"Deployment\",\"name\":\"d\",\"controller\":true}]}}"},
        {PROM_KIND_POD,
         "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"ownerReferences\":[{\"kind\":"
         "\"Job\",\"name\":\"j\",\"controller\":true}]},\"spec\":{\"containers\":[{\"name\":"
         "\"x\"}]},\"status\":{\"podIP\":\"10.0.0.1\"}}"},
        {PROM_KIND_POD,
         "{\"metadata\":{\"name\":\"q\",\"namespace\":\"n\",\"ownerReferences\":[{\"kind\":"
         "\"ReplicaSet\",\"name\":\"r\",\"controller\":true}]},\"spec\":{\"containers\":[{"
         "\"name\":\"x\"}]},\"status\":{\"podIP\":\"10.0.0.2\"}}"}};
    const struct prom_kube_sd config = {
        .role = PROM_KUBE_POD,
        .attach_metadata = {.deployment = true, .job = true, .cronjob = true}};
    assert_true(prom_kube_needs(&config, PROM_KIND_REPLICASET));
    assert_true(prom_kube_needs(&config, PROM_KIND_JOB));
    expect(&config, objects, 4,
           "__address__=10.0.0.2 namespace=n pod_container_init=false pod_container_name=x "
           "pod_controller_kind=ReplicaSet pod_controller_name=r pod_deployment_name=d "
           "pod_ip=10.0.0.2 pod_name=q pod_ready=unknown\n"
           "__address__=10.0.0.1 namespace=n pod_container_init=false pod_container_name=x "
           "pod_controller_kind=Job pod_controller_name=j pod_cronjob_name=night pod_ip=10.0.0.1 "
           "pod_job_name=j pod_name=p pod_ready=unknown\n");
}

static void an_object_is_replaced_and_removed_by_its_uid(void **state)
{
    (void)state;
    struct prom_kube_store store = {.count = 0};
    static char out[ROOM];
    const struct prom_kube_sd config = {.role = PROM_KUBE_SERVICE};
    put(&store, &(struct object){PROM_KIND_SERVICE, "{\"metadata\":{\"name\":\"s\"}}"}, "1");
    put(&store, &(struct object){PROM_KIND_SERVICE, "{\"metadata\":{\"name\":\"t\"}}"}, "1");
    assert_int_equal(store.count, 1);
    show(&store, &config, out);
    assert_string_equal(out, "");
    prom_kube_remove(&store, PROM_KIND_SERVICE, hf_slice_text("1"));
    prom_kube_remove(&store, PROM_KIND_SERVICE, hf_slice_text("1"));
    assert_int_equal(store.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_port_of_a_pod_is_a_target),
        cmocka_unit_test(nodes_have_the_best_of_their_addresses),
        cmocka_unit_test(services_are_asked_by_their_name),
        cmocka_unit_test(slices_are_joined_with_pods_and_their_service),
        cmocka_unit_test(ingresses_know_their_scheme),
        cmocka_unit_test(labels_stay_that_are_named_as_large_parts),
        cmocka_unit_test(nodes_have_their_conditions),
        cmocka_unit_test(a_balancers_addresses_are_those_that_it_has),
        cmocka_unit_test(each_port_of_a_pod_behind_endpoints_is_a_target_once),
        cmocka_unit_test(endpoints_have_the_labels_of_their_own_node),
        cmocka_unit_test(the_slice_of_a_services_second_family_is_left_out),
        cmocka_unit_test(pods_on_nodes_that_are_not_watched_are_left_out),
        cmocka_unit_test(pods_know_who_made_their_controller),
        cmocka_unit_test(an_object_is_replaced_and_removed_by_its_uid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
