/* The ports of a container as endpoints. */
#include "components/extensions/docker_observer/containers.h"

#include "tests/unit/components/extensions/found.h"

/* A container that runs, with `config` and `network` in it. */
#define CONTAINER(config, network)                                                                 \
    "{\"Id\":\"c1\",\"Name\":\"/web\",\"State\":{\"Running\":true,\"Paused\":false},\"Config\":{"  \
    "\"Hostname\":\"h1\"," config "},\"NetworkSettings\":{" network "}}"
#define NETWORK "\"Networks\":{\"a\":{\"IPAddress\":\"172.17.0.2\"}}"
#define BINDING(port, ip, host_port)                                                               \
    "\"" port "\":[{\"HostIp\":\"" ip "\",\"HostPort\":\"" host_port "\"}]"
#define WEB(name, ports) "\"Image\":\"" name "\",\"ExposedPorts\":{" ports "}"

static void assert_found(struct docker_naming naming, const char *container, const char *expected)
{
    static struct hf_endpoint *items[DOCKER_PORTS_MAX];
    char text[FOUND_TEXT_MAX];
    struct object object;
    read_object(&object, container);
    print_found(items, docker_container_find(&naming, object.json, items), text);
    assert_string_equal(text, expected);
    hf_arena_release(&object.arena);
}

static void a_port_has_all_that_rules_look_at(void **state)
{
    (void)state;
    assert_found(
        (struct docker_naming){0},
        CONTAINER(WEB("reg:5000/team/nginx:1.2", "\"80/tcp\":{}") ",\"Cmd\":[\"run\",\"-a b\"],"
                                                                  "\"Labels\":{\"x.y\":\"1\"}",
                  NETWORK ",\"Ports\":{" BINDING("80/tcp", "0.0.0.0", "8080") "}"),
        "container c1:8080 172.17.0.2:80 name=web image=reg:5000/team/nginx tag=1.2 port=80 "
        "alternate_port=8080 command=run -a b container_id=c1 host=172.17.0.2 transport=TCP "
        "labels={ x.y=1 }\n");
}

static void bindings_swap_the_ports(void **state)
{
    static const struct docker_naming naming = {.uses_bindings = true};
    (void)state;
    assert_found(naming,
                 CONTAINER(WEB("a@sha256:12", "\"80/tcp\":{},\"53/udp\":{}"),
                           NETWORK ",\"Ports\":{" BINDING("80/tcp", "0.0.0.0", "8080") "," BINDING(
                               "53/udp", "fd00::1", "53") "}"),
                 "container c1:8080 127.0.0.1:8080 name=web image=a tag= port=8080 "
                 "alternate_port=80 command= container_id=c1 host=127.0.0.1 transport=TCP "
                 "labels={ }\n"
                 "container c1:53/udp [fd00::1]:53 name=web image=a tag= port=53 "
                 "alternate_port=53 command= container_id=c1 host=fd00::1 transport=UDP "
                 "labels={ }\n");
}

static void names_are_as_the_configuration_says(void **state)
{
    static const struct docker_naming by_name = {.uses_hostname = true};
    static const struct docker_naming bound_only = {.ignores_unbound = true};
    (void)state;
    assert_found(by_name, CONTAINER(WEB("a", "\"80/tcp\":{}"), NETWORK),
                 "container c1:80 h1:80 name=web image=a tag=latest port=80 alternate_port=0 "
                 "command= container_id=c1 host=h1 transport=TCP labels={ }\n");
    assert_found(bound_only, CONTAINER(WEB("a", "\"80/tcp\":{}"), NETWORK), "");
}

static void what_is_no_port_or_does_not_run_gives_none(void **state)
{
    static const char *const none[] = {
        "{}",
        "[]",
        "{\"State\":{\"Running\":false},\"Config\":{\"ExposedPorts\":{\"80/tcp\":{}}}}",
        "{\"State\":{\"Running\":true,\"Paused\":true},\"Config\":{\"ExposedPorts\":{\"80\":{}}}}",
        CONTAINER(WEB("a", "\"\":{},\"tcp\":{},\"65536/tcp\":{},\"80x\":{},\"999999/tcp\":{}"),
                  NETWORK),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_found((struct docker_naming){0}, none[i], "");
    }
}

static void no_more_ports_than_there_is_room_for(void **state)
{
    static struct hf_endpoint *items[DOCKER_PORTS_MAX];
    static char ports[DOCKER_PORTS_MAX * 16], text[sizeof(ports) + 512];
    struct object object;
    size_t used = 0;
    (void)state;
    for (unsigned i = 1; i <= DOCKER_PORTS_MAX + 10; i++) {
        used += (size_t)snprintf(ports + used, sizeof(ports) - used, "%s\"%u\":{}",
                                 i != 1 ? "," : "", i);
    }
    snprintf(text, sizeof(text),
             "{\"Id\":\"c\",\"State\":{\"Running\":true},\"Config\":{\"ExposedPorts\":{%s}}}",
             ports);
    read_object(&object, text);
    size_t count = docker_container_find(&(struct docker_naming){0}, object.json, items);
    assert_int_equal(count, DOCKER_PORTS_MAX);
    for (size_t i = 0; i < count; i++) {
        hf_ref_drop(&items[i]->ref);
    }
    hf_arena_release(&object.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_has_all_that_rules_look_at),
        cmocka_unit_test(bindings_swap_the_ports),
        cmocka_unit_test(names_are_as_the_configuration_says),
        cmocka_unit_test(what_is_no_port_or_does_not_run_gives_none),
        cmocka_unit_test(no_more_ports_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
