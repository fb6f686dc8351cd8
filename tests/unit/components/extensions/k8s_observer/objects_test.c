/* Pods, services, ingresses and nodes as endpoints. */
#include "components/extensions/k8s_observer/objects.h"

#include "tests/unit/components/extensions/found.h"

#define META                                                                                       \
    "\"metadata\":{\"uid\":\"u1\",\"name\":\"n1\",\"namespace\":\"s1\",\"labels\":{\"app\":"       \
    "\"a\"}}"
#define SHOWN "uid=u1 name=n1 namespace=s1 labels={ app=a } annotations={ }"

static void assert_found(void (*find)(struct kube_found *found, const struct hf_json *object),
                         const char *json, const char *expected)
{
    static struct hf_endpoint *items[KUBE_ENDPOINTS_MAX];
    struct kube_found found = {.observer = "obs", .items = items};
    char text[FOUND_TEXT_MAX];
    struct object object;
    read_object(&object, json);
    find(&found, object.json);
    print_found(items, found.count, text);
    assert_string_equal(text, expected);
    hf_arena_release(&object.arena);
}

static void a_pod_shows_itself_its_running_containers_and_their_ports(void **state)
{
    (void)state;
    assert_found(
        kube_pod_find,
        "{" META ",\"spec\":{\"containers\":["
        "{\"name\":\"c1\",\"image\":\"i1\",\"ports\":[{\"name\":\"http\",\"containerPort\":80},"
        "{\"containerPort\":53,\"protocol\":\"UDP\"},{\"containerPort\":5,\"protocol\":\"SCTP\"}]},"
        "{\"name\":\"c2\",\"image\":\"i2\",\"ports\":[{\"containerPort\":81}]}]},"
        "\"status\":{\"phase\":\"Running\",\"podIP\":\"fd00::7\",\"containerStatuses\":["
        "{\"name\":\"c1\",\"containerID\":\"containerd://id1\",\"state\":{\"running\":{}}},"
        "{\"name\":\"c2\",\"containerID\":\"id2\",\"state\":{\"waiting\":{},\"running\":null}}]}}",
        "pod obs/u1 fd00::7 " SHOWN "\n"
        "pod.container obs/u1/c1 fd00::7 container_name=c1 container_id=id1 container_image=i1 "
        "pod={ " SHOWN " }\n"
        "port obs/u1/http(80) [fd00::7]:80 name=http port=80 transport=TCP container_name=c1 "
        "container_id=id1 container_image=i1 pod={ " SHOWN " }\n"
        "port obs/u1/(53) [fd00::7]:53 name= port=53 transport=UDP container_name=c1 "
        "container_id=id1 container_image=i1 pod={ " SHOWN " }\n"
        "port obs/u1/(5) [fd00::7]:5 name= port=5 transport=Unknown container_name=c1 "
        "container_id=id1 container_image=i1 pod={ " SHOWN " }\n");
}

static void a_pod_that_does_not_run_shows_nothing(void **state)
{
    static const char *const none[] = {"{}", "[]", "{" META ",\"status\":{\"phase\":\"Pending\"}}"};
    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_found(kube_pod_find, none[i], "");
    }
}

static void a_service_is_called_by_its_name_in_the_cluster(void **state)
{
    (void)state;
    assert_found(kube_service_find,
                 "{" META ",\"spec\":{\"clusterIP\":\"10.0.0.1\",\"type\":\"ClusterIP\"}}",
                 "k8s.service obs/u1 n1.s1.svc.cluster.local " SHOWN
                 " cluster_ip=10.0.0.1 service_type=ClusterIP\n");
}

static void a_node_is_reached_by_the_first_address_that_it_has(void **state)
{
    (void)state;
    assert_found(kube_node_find,
                 "{" META ",\"status\":{\"addresses\":[{\"type\":\"ExternalIP\",\"address\":"
                 "\"1.2.3.4\"},{\"type\":\"Hostname\",\"address\":\"h\"}],\"daemonEndpoints\":{"
                 "\"kubeletEndpoint\":{\"Port\":10250}}}}",
                 "k8s.node obs/n1-u1 h " SHOWN " internal_ip= internal_dns= hostname=h "
                 "external_ip=1.2.3.4 external_dns= kubelet_endpoint_port=10250\n");
}

static void an_ingress_shows_each_path_by_its_scheme(void **state)
{
    (void)state;
#define PATHS "\"http\":{\"paths\":[{\"path\":\"/p\"}]}"
#define OF(host) "uid=obs/u1/" host "/p name=n1 namespace=s1 labels={ app=a } annotations={ }"
    assert_found(kube_ingress_find,
                 "{" META ",\"spec\":{\"tls\":[{\"hosts\":[\"*.b.test\"]}],\"rules\":["
                 "{\"host\":\"a.b.test\"," PATHS "},{\"host\":\"x.a.b.test\"," PATHS "},"
                 "{\"host\":\"none.test\"}]}}",
                 "k8s.ingress obs/u1/a.b.test/p https://a.b.test/p " OF(
                     "a.b.test") " scheme=https host=a.b.test path=/p\n"
                                 "k8s.ingress obs/u1/x.a.b.test/p http://x.a.b.test/p " OF(
                                     "x.a.b.test") " scheme=http host=x.a.b.test path=/p\n");
}

static void no_more_endpoints_than_there_is_room_for(void **state)
{
    static struct hf_endpoint *items[KUBE_ENDPOINTS_MAX];
    struct kube_found found = {.observer = "obs", .items = items};
    struct object object;
    (void)state;
    read_object(&object, "{" META ",\"spec\":{}}");
    for (size_t i = 0; i < KUBE_ENDPOINTS_MAX + 10; i++) {
        kube_service_find(&found, object.json);
    }
    assert_int_equal(found.count, KUBE_ENDPOINTS_MAX);
    for (size_t i = 0; i < found.count; i++) {
        hf_ref_drop(&items[i]->ref);
    }
    hf_arena_release(&object.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_shows_itself_its_running_containers_and_their_ports),
        cmocka_unit_test(a_pod_that_does_not_run_shows_nothing),
        cmocka_unit_test(a_service_is_called_by_its_name_in_the_cluster),
        cmocka_unit_test(a_node_is_reached_by_the_first_address_that_it_has),
        cmocka_unit_test(an_ingress_shows_each_path_by_its_scheme),
        cmocka_unit_test(no_more_endpoints_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
