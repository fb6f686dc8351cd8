/* The detector `system`: the host and its operating system. */
#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "detect.h"

#define HOST_NAME_ROOM 256
#define INTERFACES_MAX 1024u

/* ---- the host's name ---- */

static bool own_name(char *room)
{
    room[HOST_NAME_ROOM - 1] = '\0';
    return gethostname(room, HOST_NAME_ROOM - 1) == 0 && room[0] != '\0';
}

static bool copied(const char *name, char *room)
{
    size_t size = name != NULL ? strlen(name) : 0;
    while (size > 0 && name[size - 1] == '.') {
        size--;
    }
    if (size == 0 || size >= HOST_NAME_ROOM) {
        return false;
    }
    memcpy(room, name, size);
    room[size] = '\0';
    return true;
}

/* The canonical name of the host's own; with `reverse` that of its address. */
static bool looked_up_name(char *room, bool reverse)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
    struct addrinfo *found = NULL;
    char own[HOST_NAME_ROOM], name[NI_MAXHOST];
    bool is_found = false;
    if (!own_name(own) || getaddrinfo(own, NULL, &hints, &found) != 0) {
        return false;
    }
    if (!reverse) {
        is_found = copied(found->ai_canonname, room);
    }
    for (struct addrinfo *at = found; reverse && at != NULL && !is_found; at = at->ai_next) {
        is_found = getnameinfo(at->ai_addr, at->ai_addrlen, name, sizeof(name), NULL, 0,
                               NI_NAMEREQD) == 0 &&
                   copied(name, room);
    }
    freeaddrinfo(found);
    return is_found;
}

static bool name_from(const char *source, char *room)
{
    if (strcmp(source, "os") == 0) {
        return own_name(room);
    }
    return looked_up_name(room, strcmp(source, "lookup") == 0);
}

static bool find_name(const struct hf_string_list *sources, char *room)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (name_from(sources->items[i], room)) {
            return true;
        }
    }
    return sources->count == 0 && (name_from("dns", room) || name_from("os", room));
}

/* ---- interfaces ---- */

struct texts {
    struct hf_slice *items;
    size_t count;
};

static void add_text(struct hf_detection *detection, struct texts *texts, const char *text)
{
    if (texts->items != NULL && texts->count < INTERFACES_MAX) {
        texts->items[texts->count++] = hf_any_make_string(&detection->maker, hf_slice_text(text));
    }
}

static void add_ip(struct hf_detection *detection, struct texts *texts,
                   const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    const void *bytes = address->sa_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    if (inet_ntop(address->sa_family, bytes, text, sizeof(text)) != NULL) {
        add_text(detection, texts, text);
    }
}

static void add_mac(struct hf_detection *detection, struct texts *texts,
                    const struct sockaddr *address)
{
    const struct sockaddr_ll *link = (const struct sockaddr_ll *)address;
    char text[3 * sizeof(link->sll_addr) + 1] = "";
    for (size_t i = 0; i < link->sll_halen && i < sizeof(link->sll_addr); i++) {
        snprintf(text + (i > 0 ? 3 * i - 1 : 0), 4, "%s%02X", i > 0 ? "-" : "", link->sll_addr[i]);
    }
    add_text(detection, texts, text);
}

static void set_list(struct hf_detection *detection, const char *name, const struct texts *texts)
{
    if (texts->count > 0) {
        hf_detection_set_value(detection, name,
                               hf_any_make_list(&detection->maker, texts->items, texts->count));
    }
}

static void detect_interfaces(struct hf_detection *detection)
{
    struct texts ips, macs, names;
    struct texts *const all[] = {&ips, &macs, &names};
    struct ifaddrs *interfaces = NULL;
    for (size_t i = 0; i < 3; i++) {
        *all[i] = (struct texts){
            .items = hf_arena_take(&detection->arena, INTERFACES_MAX * sizeof(struct hf_slice))};
    }
    if (getifaddrs(&interfaces) != 0) {
        return;
    }
    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next) {
        int family = at->ifa_addr != NULL ? at->ifa_addr->sa_family : AF_UNSPEC;
        bool counts = (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
        if (family == AF_PACKET) {
            add_text(detection, &names, at->ifa_name);
        }
        if (counts && family == AF_PACKET) {
            add_mac(detection, &macs, at->ifa_addr);
        } else if (counts && (family == AF_INET || family == AF_INET6)) {
            add_ip(detection, &ips, at->ifa_addr);
        }
    }
    freeifaddrs(interfaces);
    set_list(detection, "host.ip", &ips);
    set_list(detection, "host.mac", &macs);
    set_list(detection, "host.interface", &names);
}

/* ---- files of `key=value` and `key : value` ---- */

/* The value of the first line with that key; empty: there is none. */
static struct hf_slice value_of(struct hf_slice text, const char *key, char sign)
{
    size_t key_size = strlen(key);
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        struct hf_slice line = {text.data, size};
        text = end != NULL ? hf_slice_of(end + 1, text.size - size - 1) : HF_EMPTY_SLICE;
        const uint8_t *at = memchr(line.data, sign, line.size);
        if (at == NULL || line.size < key_size || memcmp(line.data, key, key_size) != 0) {
            continue;
        }
        size_t between = (size_t)(at - line.data);
        while (between > key_size && isspace(line.data[between - 1])) {
            between--;
        }
        if (between != key_size) {
            continue;
        }
        struct hf_slice value = {at + 1, line.size - (size_t)(at - line.data) - 1};
        while (value.size > 0 && (isspace(value.data[0]) || value.data[0] == '"')) {
            value = hf_slice_of(value.data + 1, value.size - 1);
        }
        while (value.size > 0 &&
               (isspace(value.data[value.size - 1]) || value.data[value.size - 1] == '"')) {
            value.size--;
        }
        return value;
    }
    return HF_EMPTY_SLICE;
}

static void detect_cpu(struct hf_detection *detection)
{
    static const char *const pairs[][2] = {
        {"vendor_id", "host.cpu.vendor.id"}, {"cpu family", "host.cpu.family"},
        {"model", "host.cpu.model.id"},      {"model name", "host.cpu.model.name"},
        {"stepping", "host.cpu.stepping"},
    };
    struct hf_slice info = hf_detection_file(detection, "/proc/cpuinfo");
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        hf_detection_set(detection, pairs[i][1], value_of(info, pairs[i][0], ':'));
    }
    struct hf_slice cache = value_of(info, "cache size", ':'); /* "512 KB" */
    if (cache.size > 0) {
        const char *text =
            hf_detection_text(detection, "%.*s", (int)cache.size, (const char *)cache.data);
        hf_detection_set_value(detection, "host.cpu.cache.l2.size",
                               hf_any_make_int(&detection->maker, strtol(text, NULL, 10)));
    }
}

static void detect_os(struct hf_detection *detection)
{
    struct utsname names;
    struct hf_slice release = hf_detection_file(detection, "/etc/os-release");
    if (release.size == 0) {
        release = hf_detection_file(detection, "/usr/lib/os-release");
    }
    if (uname(&names) != 0) {
        return;
    }
    struct hf_slice build = value_of(release, "BUILD_ID", '=');
    struct hf_slice pretty = value_of(release, "PRETTY_NAME", '=');
    struct hf_slice debian = hf_detection_file(detection, "/etc/debian_version");
    struct hf_slice id = value_of(release, "ID", '=');
    bool is_debian = hf_slice_is(id, "debian") && debian.size > 0;
    hf_detection_set_text(detection, "os.type", "linux");
    hf_detection_set(detection, "os.name", id);
    hf_detection_set(detection, "os.version",
                     is_debian ? debian : value_of(release, "VERSION_ID", '='));
    build = build.size > 0 ? build : hf_slice_text(names.release);
    hf_detection_set(detection, "os.build_id", build);
    hf_detection_set(detection, "os.build.id", build);
    hf_detection_set_text(detection, "os.description",
                          hf_detection_text(detection, "%.*s (%s %s %s %s %s)", (int)pretty.size,
                                            (const char *)pretty.data, names.sysname,
                                            names.nodename, names.release, names.version,
                                            names.machine));
    bool is_x86 = strcmp(names.machine, "x86_64") == 0;
    bool is_arm = strcmp(names.machine, "aarch64") == 0;
    hf_detection_set_text(detection, "host.arch",
                          is_x86   ? "amd64"
                          : is_arm ? "arm64"
                                   : names.machine);
}

static enum hf_status detect(struct hf_detection *detection)
{
    char name[HOST_NAME_ROOM];
    if (!find_name(&detection->config->hostname_sources, name)) {
        snprintf(detection->why, sizeof(detection->why), "no source tells the host's name");
        return HF_NOT_FOUND;
    }
    hf_detection_set_text(detection, "host.name", name);
    hf_detection_set(detection, "host.id", hf_detection_file(detection, "/etc/machine-id"));
    detect_os(detection);
    detect_interfaces(detection);
    detect_cpu(detection);
    return HF_OK;
}

static const struct hf_detector_attribute attributes[] = {
    {"host.name", false},
    {"os.type", false},
    {"host.id", true},
    {"host.arch", true},
    {"host.ip", true},
    {"host.mac", true},
    {"host.interface", true},
    {"host.cpu.vendor.id", true},
    {"host.cpu.family", true},
    {"host.cpu.model.id", true},
    {"host.cpu.model.name", true},
    {"host.cpu.stepping", true},
    {"host.cpu.cache.l2.size", true},
    {"os.description", true},
    {"os.name", true},
    {"os.version", true},
    {"os.build_id", true},
    {"os.build.id", true}, /* its old name */
    {NULL, false},
};

const struct hf_detector hf_detector_system = {
    .name = "system", .attributes = attributes, .detect = detect};
