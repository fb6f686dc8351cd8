#include "containers.h"

#include <stdio.h>
#include <string.h>

#include "support/discovery/endpoints.h"

#define COMMAND_ROOM 4096
#define TEXT(slice) (int)(slice).size, (slice).size != 0 ? (const char *)(slice).data : ""

/* "80/tcp" */
struct port {
    unsigned number;
    struct hf_slice protocol;
};

static bool read_port(struct hf_slice text, struct port *ret_port)
{
    unsigned number = 0;
    size_t i = 0;
    for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9' && i < 5; i++) {
        number = 10 * number + (unsigned)(text.data[i] - '0');
    }
    bool has_protocol = i < text.size && text.data[i] == '/';
    ret_port->number = number;
    ret_port->protocol =
        has_protocol ? hf_slice_of(text.data + i + 1, text.size - i - 1) : hf_slice_text("tcp");
    return i != 0 && number <= 65535 && (has_protocol || i == text.size);
}

/* The first port of the host that leads to it; 0: none. */
static unsigned find_binding(const struct hf_json *container, struct hf_slice port,
                             struct hf_slice *ret_ip)
{
    const struct hf_json *one =
        hf_json_first(hf_json_get(hf_json_get(container, "NetworkSettings"), "Ports"));
    while (one != NULL && !hf_slice_equal(one->key, port)) {
        one = one->next;
    }
    for (one = hf_json_first(one); one != NULL; one = one->next) {
        struct port bound;
        if (read_port(hf_json_text_of(one, "HostPort"), &bound)) {
            *ret_ip = hf_json_text_of(one, "HostIp");
            return bound.number;
        }
    }
    return 0;
}

/* "registry:5000/team/app:1.2@sha256:..." in its parts; without a tag it is the latest. */
static void split_image(struct hf_slice image, struct hf_slice *ret_name, struct hf_slice *ret_tag)
{
    const uint8_t *at = image.size != 0 ? memchr(image.data, '@', image.size) : NULL;
    size_t size = at != NULL ? (size_t)(at - image.data) : image.size;
    const uint8_t *slash = size != 0 ? memrchr(image.data, '/', size) : NULL;
    size_t from = slash != NULL ? (size_t)(slash - image.data) : 0;
    const uint8_t *colon = size != 0 ? memrchr(image.data + from, ':', size - from) : NULL;
    *ret_name = hf_slice_of(image.data, colon != NULL ? (size_t)(colon - image.data) : size);
    *ret_tag = colon != NULL ? hf_slice_of(colon + 1, size - (size_t)(colon - image.data) - 1)
                             : hf_slice_text(at == NULL ? "latest" : "");
}

static void put_labels(struct hf_endpoint_draft *draft, const struct hf_json *labels)
{
    size_t count = 0;
    for (const struct hf_json *one = hf_json_first(labels); one != NULL; one = one->next) {
        count++;
    }
    struct hf_value *map = hf_draft_map(draft, &draft->variables, "labels", count);
    for (const struct hf_json *one = hf_json_first(labels); one != NULL; one = one->next) {
        const char *key = hf_draft_print(draft, "%.*s", TEXT(one->key));
        hf_draft_text(draft, map, key, hf_json_text(one));
    }
}

/* Its words with a blank between, as far as there is room. */
static void print_command(const struct hf_json *words, char *ret_text, size_t room)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (const struct hf_json *one = hf_json_first(words); one != NULL; one = one->next) {
        struct hf_slice word = hf_json_text(one);
        int size =
            snprintf(ret_text + used, room - used, "%s%.*s", used != 0 ? " " : "", TEXT(word));
        used += size > 0 ? (size_t)size : 0;
        used = used < room ? used : room - 1;
    }
}

static struct hf_slice host_of(const struct docker_naming *naming, const struct hf_json *container)
{
    struct hf_slice name = hf_json_text_of(hf_json_get(container, "Config"), "Hostname");
    if (naming->uses_hostname && name.size != 0) {
        return name;
    }
    const struct hf_json *network =
        hf_json_first(hf_json_get(hf_json_get(container, "NetworkSettings"), "Networks"));
    struct hf_slice ip = hf_json_text_of(network, "IPAddress");
    return ip.size == 0 && naming->uses_bindings ? hf_slice_text("127.0.0.1") : ip;
}

static struct hf_slice transport_of(struct hf_slice protocol)
{
    return hf_slice_text(hf_slice_is(protocol, "tcp")   ? "TCP"
                         : hf_slice_is(protocol, "udp") ? "UDP"
                                                        : "Unknown");
}

/* False: it is left out. */
static bool make(const struct docker_naming *naming, const struct hf_json *container,
                 struct hf_slice key, struct hf_endpoint **ret_endpoint)
{
    const struct hf_json *config = hf_json_get(container, "Config");
    struct hf_slice id = hf_json_text_of(container, "Id"), bound_ip = HF_EMPTY_SLICE, image, tag;
    struct hf_slice name = hf_json_text_of(container, "Name"), host = host_of(naming, container);
    struct port port;
    char command[COMMAND_ROOM];
    if (!read_port(key, &port)) {
        return false;
    }
    unsigned bound = find_binding(container, key, &bound_ip);
    if (naming->ignores_unbound && bound == 0 && bound_ip.size == 0) {
        return false;
    }
    bool swaps = naming->uses_bindings && bound != 0 && bound_ip.size != 0;
    if (swaps) {
        host = hf_slice_is(bound_ip, "0.0.0.0") ? hf_slice_text("127.0.0.1") : bound_ip;
    }
    split_image(hf_json_text_of(config, "Image"), &image, &tag);
    if (name.size != 0 && name.data[0] == '/') {
        name = hf_slice_of(name.data + 1, name.size - 1);
    }
    bool is_ipv6 = host.size != 0 && memchr(host.data, ':', host.size) != NULL;
    unsigned main = swaps ? bound : port.number, alternate = swaps ? port.number : bound;
    struct hf_endpoint_draft draft;
    hf_draft_begin(&draft, "container", 10);
    /* Two protocols may have the same port. */
    draft.id = hf_draft_print(&draft, "%.*s:%u%s", TEXT(id), bound != 0 ? bound : port.number,
                              hf_slice_is(port.protocol, "udp") ? "/udp" : "");
    draft.target = hf_draft_print(&draft, is_ipv6 ? "[%.*s]:%u" : "%.*s:%u", TEXT(host), main);
    hf_draft_text(&draft, &draft.variables, "name", name);
    hf_draft_text(&draft, &draft.variables, "image", image);
    hf_draft_text(&draft, &draft.variables, "tag", tag);
    hf_draft_number(&draft, &draft.variables, "port", main);
    hf_draft_number(&draft, &draft.variables, "alternate_port", alternate);
    print_command(hf_json_get(config, "Cmd"), command, sizeof(command));
    hf_draft_text(&draft, &draft.variables, "command", hf_slice_text(command));
    hf_draft_text(&draft, &draft.variables, "container_id", id);
    hf_draft_text(&draft, &draft.variables, "host", host);
    hf_draft_text(&draft, &draft.variables, "transport", transport_of(port.protocol));
    put_labels(&draft, hf_json_get(config, "Labels"));
    *ret_endpoint = hf_draft_end(&draft);
    return true;
}

size_t docker_container_find(const struct docker_naming *naming, const struct hf_json *container,
                             struct hf_endpoint **items)
{
    const struct hf_json *state = hf_json_get(container, "State");
    size_t count = 0;
    if (!hf_json_bool(hf_json_get(state, "Running")) ||
        hf_json_bool(hf_json_get(state, "Paused"))) {
        return 0;
    }
    const struct hf_json *one =
        hf_json_first(hf_json_get(hf_json_get(container, "Config"), "ExposedPorts"));
    for (; one != NULL && count < DOCKER_PORTS_MAX; one = one->next) {
        count += make(naming, container, one->key, &items[count]);
    }
    return count;
}
