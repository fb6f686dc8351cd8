#include "associate.h"

#include <arpa/inet.h>
#include <string.h>

#include "config.h"
#include "pdata/any.h"

void k8s_associations_compile(const struct k8s_config *config, struct k8s_associations *ret)
{
    const struct k8s_association_config *rules = config->associations.items;
    *ret = (struct k8s_associations){.count = config->associations.count};
    for (size_t i = 0; i < ret->count; i++) {
        const struct k8s_source_config *sources = rules[i].sources.items;
        ret->rules[i].source_count = rules[i].sources.count;
        for (size_t s = 0; s < rules[i].sources.count; s++) {
            bool is_connection = strcmp(sources[s].from, "connection") == 0;
            ret->rules[i].sources[s] = (struct k8s_source){
                is_connection, is_connection ? HF_EMPTY_SLICE : hf_slice_text(sources[s].name)};
        }
    }
}

void k8s_key_begin(struct k8s_key *key, char kind, uint8_t number)
{
    key->bytes[0] = (uint8_t)kind;
    key->bytes[1] = number;
    key->size = 2;
}

void k8s_key_add(struct k8s_key *key, struct hf_slice text)
{
    if (key->size == 0 || text.size + 1 > sizeof(key->bytes) - key->size) {
        key->size = 0;
        return;
    }
    if (text.size != 0) {
        memcpy(key->bytes + key->size, text.data, text.size);
    }
    key->size += text.size;
    key->bytes[key->size++] = '\0';
}

struct hf_slice k8s_address_of_peer(struct hf_slice peer, char room[K8S_ADDRESS_MAX])
{
    struct in6_addr v6;
    struct in_addr v4;
    size_t size = peer.size;
    while (size > 0 && peer.data[size - 1] != ':') {
        size--;
    }
    const uint8_t *begin = peer.data;
    size = size > 0 ? size - 1 : 0;
    if (size >= 2 && begin[0] == '[' && begin[size - 1] == ']') {
        begin++;
        size -= 2;
    }
    if (size == 0 || size >= K8S_ADDRESS_MAX) {
        return HF_EMPTY_SLICE;
    }
    memcpy(room, begin, size);
    room[size] = '\0';
    room[strcspn(room, "%")] = '\0'; /* an interface is no part of a pod's address */
    if (inet_pton(AF_INET6, room, &v6) == 1) {
        const char *text = IN6_IS_ADDR_V4MAPPED(&v6)
                               ? inet_ntop(AF_INET, &v6.s6_addr[12], room, K8S_ADDRESS_MAX)
                               : inet_ntop(AF_INET6, &v6, room, K8S_ADDRESS_MAX);
        return hf_slice_text(text);
    }
    return inet_pton(AF_INET, room, &v4) == 1 ? hf_slice_text(room) : HF_EMPTY_SLICE;
}

bool k8s_is_address(struct hf_slice text)
{
    char room[K8S_ADDRESS_MAX];
    struct in6_addr v6;
    if (text.size == 0 || text.size >= sizeof(room)) {
        return false;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    return inet_pton(AF_INET, room, &v6) == 1 || inet_pton(AF_INET6, room, &v6) == 1;
}

struct hf_slice k8s_attribute_text(const struct hf_attributes *attributes, struct hf_slice key)
{
    const struct hf_attribute *attribute = hf_attributes_find(attributes, key);
    if (attribute == NULL) {
        return HF_EMPTY_SLICE;
    }
    struct hf_any any = hf_any_read(attribute->value);
    return any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
}

static bool by_address(struct hf_slice address, struct k8s_key *ret_key,
                       struct hf_slice *ret_address)
{
    k8s_key_begin(ret_key, K8S_KEY_OF_ADDRESS, 0);
    k8s_key_add(ret_key, address);
    *ret_address = address;
    return true;
}

/* What counts when no rules are configured. */
static bool by_chain(const struct hf_attributes *attributes, struct hf_slice connection,
                     struct k8s_key *ret_key, struct hf_slice *ret_address)
{
    struct hf_slice address = k8s_attribute_text(attributes, hf_slice_text("k8s.pod.ip"));
    if (address.size == 0) {
        address = k8s_attribute_text(attributes, hf_slice_text("ip"));
    }
    if (address.size == 0) {
        address = connection;
    }
    if (address.size == 0) {
        struct hf_slice host = k8s_attribute_text(attributes, hf_slice_text("host.name"));
        address = k8s_is_address(host) ? host : HF_EMPTY_SLICE;
    }
    return address.size != 0 && by_address(address, ret_key, ret_address);
}

static bool by_rule(const struct k8s_rule *rule, uint8_t number,
                    const struct hf_attributes *attributes, struct hf_slice connection,
                    struct k8s_key *ret_key, struct hf_slice *ret_address)
{
    k8s_key_begin(ret_key, K8S_KEY_OF_RULE, number);
    *ret_address = HF_EMPTY_SLICE;
    for (size_t i = 0; i < rule->source_count; i++) {
        const struct k8s_source *source = &rule->sources[i];
        struct hf_slice value =
            source->is_connection ? connection : k8s_attribute_text(attributes, source->name);
        /* A host's name that is no address belongs to no pod. */
        if (value.size == 0 || (!source->is_connection && hf_slice_is(source->name, "host.name") &&
                                !k8s_is_address(value))) {
            return false;
        }
        if (source->is_connection) {
            *ret_address = value;
        }
        k8s_key_add(ret_key, value);
    }
    return rule->source_count != 0;
}

bool k8s_associate(const struct k8s_associations *associations,
                   const struct hf_attributes *attributes, struct hf_slice connection,
                   struct k8s_key *ret_key, struct hf_slice *ret_address)
{
    if (associations->count == 0) {
        return by_chain(attributes, connection, ret_key, ret_address);
    }
    for (size_t i = 0; i < associations->count; i++) {
        if (by_rule(&associations->rules[i], (uint8_t)i, attributes, connection, ret_key,
                    ret_address)) {
            return true;
        }
    }
    return false;
}
