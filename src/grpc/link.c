/* Where connections come from: looking names up, trying addresses, resting after failures. */
#include "client_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REST_LEAST_NS (UINT64_C(100) * 1000000)
#define REST_MOST_NS (UINT64_C(5) * 1000000000)
#define LOOKUP_EVERY_NS (UINT64_C(30) * 1000000000)

/* The circle is real: a look-up makes links, which fail, which look up again. */
static void look_up(struct hf_grpc_client *client);

/* Half of it is jitter: a fleet that failed together must not come back together. */
static uint64_t rest_ns(struct link *link)
{
    struct hf_grpc_client *client = link->client;
    uint32_t doublings = link->failures > 1 ? link->failures - 1 : 0;
    uint64_t rest = doublings > 10 ? REST_MOST_NS : REST_LEAST_NS << doublings;
    rest = rest < REST_MOST_NS ? rest : REST_MOST_NS;
    client->draw ^= client->draw << 13;
    client->draw ^= client->draw >> 17;
    client->draw ^= client->draw << 5;
    return rest / 2 + rest / 2 * (client->draw % 1024) / 1024;
}

static void rest_link(struct link *link, const char *why)
{
    struct hf_grpc_client *client = link->client;
    link->state = LINK_RESTING;
    link->failures++;
    snprintf(link->error, sizeof(link->error), "%s", why);
    uint64_t due_ns = hf_loop_now_ns(client->options.loop) + rest_ns(link);
    if (hf_loop_timer_set(client->options.loop, &link->timer, due_ns) != HF_OK) {
        link->timer.place = 0; /* the next call that looks for a wire ends the rest */
    }
    hf_grpc_client_lose_hope(client, link->error);
}

/* The next address that lets itself be tried, or the rest after all of them. */
static void try_next(struct link *link, const char *why)
{
    char error[256];
    snprintf(error, sizeof(error), "%s", why);
    while (link->next_address < link->address_count) {
        const struct hf_grpc_address *address = &link->addresses[link->next_address++];
        link->state = LINK_CONNECTING;
        link->wire = hf_grpc_wire_open(link, address, error);
        if (link->wire != NULL) {
            return;
        }
        hf_grpc_client_report(link->client, false, error);
    }
    rest_link(link, error);
}

static void connect_link(struct link *link)
{
    assert(link->wire == NULL);
    hf_loop_timer_stop(link->client->options.loop, &link->timer);
    link->next_address = 0;
    try_next(link, "no addresses");
}

/* Names are looked up again before each new connection: the old addresses may be gone. */
static void revive(struct link *link)
{
    struct hf_grpc_client *client = link->client;
    struct hf_grpc_address literal;
    const struct hf_grpc_target *target =
        client->has_proxy ? &client->proxy.target : &client->target;
    link->state = LINK_DOWN;
    if (hf_grpc_resolve_literal(target, &literal)) {
        connect_link(link);
    } else {
        look_up(client);
    }
}

static void on_rested(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    revive(HF_CONTAINER(timer, struct link, timer));
}

void hf_grpc_link_up(struct link *link)
{
    link->state = LINK_UP;
    hf_grpc_client_work(link->client);
}

void hf_grpc_link_failed(struct link *link, const char *why)
{
    hf_grpc_client_report(link->client, false, why);
    try_next(link, why);
}

void hf_grpc_link_lost(struct link *link, bool was_useful, const char *why)
{
    if (was_useful) {
        link->failures = 0;
    }
    /* A loss is mended at once, but who only connects and loses again has to wait. */
    if (link->failures == 0) {
        link->failures = 1;
        revive(link);
    } else {
        rest_link(link, why != NULL ? why : "the connection was lost as soon as it was made");
    }
}

/* ---- looking up ---- */

static struct link *add_link(struct hf_grpc_client *client)
{
    struct link *link = client->link_count < LINKS_MAX ? calloc(1, sizeof(*link)) : NULL;
    if (link != NULL) {
        link->client = client;
        link->timer.fire = on_rested;
        client->links[client->link_count++] = link;
    }
    return link;
}

static void free_link(struct link *link)
{
    hf_loop_timer_stop(link->client->options.loop, &link->timer);
    free(link->addresses);
    free(link);
}

static void set_addresses(struct link *link, const struct hf_grpc_address *addresses, size_t count)
{
    if (link->state == LINK_CONNECTING) {
        return; /* its attempt goes through the list that it began with */
    }
    struct hf_grpc_address *copy = calloc(count, sizeof(*copy));
    if (copy != NULL) {
        memcpy(copy, addresses, count * sizeof(*copy));
        free(link->addresses);
        link->addresses = copy;
        link->address_count = count;
    }
}

static bool is_among(const struct hf_grpc_address *address,
                     const struct hf_grpc_lookup_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        if (hf_grpc_address_equal(address, &result->addresses[i])) {
            return true;
        }
    }
    return false;
}

static void drop_link(struct hf_grpc_client *client, size_t index)
{
    struct link *link = client->links[index];
    client->links[index] = client->links[--client->link_count];
    if (link->wire != NULL) {
        link->wire->link = NULL;
        hf_grpc_wire_dirty(link->wire); /* ends as soon as its calls have */
        if (link->state == LINK_CONNECTING) {
            hf_grpc_wire_kill(link->wire, "its address is gone");
        }
    }
    free_link(link);
}

/* One link an address: those that are gone leave, new ones come. */
static void spread(struct hf_grpc_client *client, const struct hf_grpc_lookup_result *result)
{
    for (size_t i = client->link_count; i > 0; i--) {
        struct link *link = client->links[i - 1];
        if (link->address_count == 0 || !is_among(&link->addresses[0], result)) {
            drop_link(client, i - 1);
        }
    }
    for (size_t i = 0; i < result->count; i++) {
        bool known = false;
        for (size_t j = 0; j < client->link_count && !known; j++) {
            known = hf_grpc_address_equal(&client->links[j]->addresses[0], &result->addresses[i]);
        }
        struct link *link = known ? NULL : add_link(client);
        if (link != NULL) {
            set_addresses(link, &result->addresses[i], 1);
            if (link->address_count == 0) {
                drop_link(client, client->link_count - 1);
            }
        }
    }
}

static void connect_those_down(struct hf_grpc_client *client)
{
    for (size_t i = 0; i < client->link_count; i++) {
        if (client->links[i]->state == LINK_DOWN) {
            connect_link(client->links[i]);
        }
    }
}

static void on_looked_up(void *user, const struct hf_grpc_lookup_result *result)
{
    struct hf_grpc_client *client = user;
    client->lookup = NULL;
    if (client->options.round_robin) {
        (void)!hf_loop_timer_set(client->options.loop, &client->lookup_timer,
                                 hf_loop_now_ns(client->options.loop) + LOOKUP_EVERY_NS);
    }
    if (result->count == 0) {
        hf_grpc_client_report(client, false, result->error);
        for (size_t i = 0; i < client->link_count; i++) {
            struct link *link = client->links[i];
            if (link->state == LINK_DOWN && link->address_count == 0) {
                rest_link(link, result->error);
            }
        }
    } else if (client->options.round_robin) {
        spread(client, result);
    } else {
        set_addresses(client->links[0], result->addresses, result->count);
    }
    /* With what was known before, if need be. */
    connect_those_down(client);
}

static void look_up(struct hf_grpc_client *client)
{
    const struct hf_grpc_target *target =
        client->has_proxy ? &client->proxy.target : &client->target;
    if (client->lookup == NULL && hf_grpc_resolve_start(client->options.loop, target, on_looked_up,
                                                        client, &client->lookup) != HF_OK) {
        client->lookup = NULL;
        on_looked_up(client, &(struct hf_grpc_lookup_result){.error = "out of memory"});
    }
}

static void on_lookup_due(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    look_up(HF_CONTAINER(timer, struct hf_grpc_client, lookup_timer));
}

/* ---- for the client ---- */

enum hf_status hf_grpc_links_open(struct hf_grpc_client *client)
{
    struct hf_grpc_address literal;
    const struct hf_grpc_target *target =
        client->has_proxy ? &client->proxy.target : &client->target;
    client->lookup_timer.fire = on_lookup_due;
    struct link *link = add_link(client);
    if (link == NULL) {
        return HF_NOMEM;
    }
    if (hf_grpc_resolve_literal(target, &literal)) {
        set_addresses(link, &literal, 1);
        if (link->address_count == 0) {
            return HF_NOMEM;
        }
        connect_link(link);
    } else {
        look_up(client);
    }
    return HF_OK;
}

void hf_grpc_links_close(struct hf_grpc_client *client)
{
    if (client->lookup != NULL) {
        hf_grpc_resolve_cancel(client->lookup);
        client->lookup = NULL;
    }
    hf_loop_timer_stop(client->options.loop, &client->lookup_timer);
    while (client->link_count > 0) {
        struct link *link = client->links[--client->link_count];
        if (link->wire != NULL) {
            link->wire->link = NULL;
        }
        free_link(link);
    }
}

struct wire *hf_grpc_links_pick(struct hf_grpc_client *client)
{
    for (size_t i = 0; i < client->link_count; i++) {
        size_t index = (client->next_link + i) % client->link_count;
        struct link *link = client->links[index];
        if (link->state == LINK_UP) {
            client->next_link = index + 1;
            return link->wire;
        }
        if (link->state == LINK_RESTING && link->timer.place == 0) {
            revive(link);
        }
    }
    return NULL;
}

const char *hf_grpc_links_despair(const struct hf_grpc_client *client)
{
    const char *why = NULL;
    for (size_t i = 0; i < client->link_count; i++) {
        const struct link *link = client->links[i];
        if (link->state != LINK_RESTING) {
            return NULL;
        }
        why = link->error;
    }
    return why;
}
