/* Where connections come from: looking names up, trying addresses, resting after failures. */
#include "client_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REST_LEAST_NS (UINT64_C(100) * 1000000)
#define REST_MOST_NS (UINT64_C(5) * 1000000000)
#define LOOKUP_EVERY_NS (UINT64_C(30) * 1000000000)

/* The circle is real: a look-up makes subchannels, which fail, which look up again. */
static void look_up(struct hf_grpc_client *client);

/* Half of it is jitter: a fleet that failed together must not come back together. */
static uint64_t rest_ns(struct subchannel *subchannel)
{
    struct hf_grpc_client *client = subchannel->client;
    uint32_t doublings = subchannel->failures > 1 ? subchannel->failures - 1 : 0;
    uint64_t rest = doublings > 10 ? REST_MOST_NS : REST_LEAST_NS << doublings;
    rest = rest < REST_MOST_NS ? rest : REST_MOST_NS;
    client->draw ^= client->draw << 13;
    client->draw ^= client->draw >> 17;
    client->draw ^= client->draw << 5;
    return rest / 2 + rest / 2 * (client->draw % 1024) / 1024;
}

const char *hf_grpc_subchannels_unavailable_reason(const struct hf_grpc_client *client)
{
    const char *why = NULL;
    for (size_t i = 0; i < client->subchannel_count; i++) {
        const struct subchannel *subchannel = client->subchannels[i];
        if (subchannel->state != SUBCHANNEL_BACKOFF) {
            return NULL;
        }
        why = subchannel->error;
    }
    return why;
}

/* What waits, unless there is hope for a connection. */
static void fail_pending_calls(struct hf_grpc_client *client, const char *why)
{
    if (hf_grpc_subchannels_unavailable_reason(client) == NULL) {
        return;
    }
    while (client->waiting.first != NULL) {
        hf_grpc_client_call_end(client->waiting.first, CODE_UNAVAILABLE, why);
    }
}

static void rest_subchannel(struct subchannel *subchannel, const char *why)
{
    struct hf_grpc_client *client = subchannel->client;
    subchannel->state = SUBCHANNEL_BACKOFF;
    subchannel->failures++;
    snprintf(subchannel->error, sizeof(subchannel->error), "%s", why);
    uint64_t due_ns = hf_loop_now_ns(client->options.loop) + rest_ns(subchannel);
    if (hf_loop_timer_set(client->options.loop, &subchannel->timer, due_ns) != HF_OK) {
        subchannel->timer.place = 0; /* the next call that looks for a connection ends the rest */
    }
    fail_pending_calls(client, subchannel->error);
}

/* Tries the next address, or waits after all of them. */
static void try_next(struct subchannel *subchannel, const char *why)
{
    char error[256];
    snprintf(error, sizeof(error), "%s", why);
    while (subchannel->next_address < subchannel->address_count) {
        const struct hf_grpc_address *address = &subchannel->addresses[subchannel->next_address++];
        subchannel->state = SUBCHANNEL_CONNECTING;
        subchannel->connection = hf_grpc_client_connection_open(subchannel, address, error);
        if (subchannel->connection != NULL) {
            return;
        }
        hf_grpc_client_report(subchannel->client, false, error);
    }
    rest_subchannel(subchannel, error);
}

static void connect_subchannel(struct subchannel *subchannel)
{
    assert(subchannel->connection == NULL);
    hf_loop_timer_stop(subchannel->client->options.loop, &subchannel->timer);
    subchannel->next_address = 0;
    try_next(subchannel, "no addresses");
}

/* Names are looked up again before each new connection: the old addresses may be gone. */
static void revive(struct subchannel *subchannel)
{
    struct hf_grpc_client *client = subchannel->client;
    struct hf_grpc_address literal;
    const struct hf_grpc_target *target =
        client->has_proxy ? &client->proxy.target : &client->target;
    subchannel->state = SUBCHANNEL_DOWN;
    if (hf_grpc_resolve_literal(target, &literal)) {
        connect_subchannel(subchannel);
    } else {
        look_up(client);
    }
}

static void on_rested(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    revive(HF_CONTAINER(timer, struct subchannel, timer));
}

static void take_up(struct subchannel *subchannel)
{
    subchannel->state = SUBCHANNEL_UP;
    hf_grpc_client_work(subchannel->client);
}

static void take_failed(struct subchannel *subchannel, const char *why)
{
    hf_grpc_client_report(subchannel->client, false, why);
    try_next(subchannel, why);
}

static void take_lost(struct subchannel *subchannel, bool was_useful, const char *why)
{
    if (was_useful) {
        subchannel->failures = 0;
    }
    /* Connects again at once after a loss; a connection that is lost again and again waits. */
    if (subchannel->failures == 0) {
        subchannel->failures = 1;
        revive(subchannel);
    } else {
        rest_subchannel(subchannel,
                        why != NULL ? why : "the connection was lost as soon as it was made");
    }
}

static const struct subchannel_events events = {
    .up = take_up, .failed = take_failed, .lost = take_lost};

/* ---- looking up ---- */

static struct subchannel *add_subchannel(struct hf_grpc_client *client)
{
    struct subchannel *subchannel =
        client->subchannel_count < SUBCHANNELS_MAX ? calloc(1, sizeof(*subchannel)) : NULL;
    if (subchannel != NULL) {
        subchannel->client = client;
        subchannel->events = &events;
        subchannel->timer.fire = on_rested;
        client->subchannels[client->subchannel_count++] = subchannel;
    }
    return subchannel;
}

static void free_subchannel(struct subchannel *subchannel)
{
    hf_loop_timer_stop(subchannel->client->options.loop, &subchannel->timer);
    free(subchannel->addresses);
    free(subchannel);
}

static void set_addresses(struct subchannel *subchannel, const struct hf_grpc_address *addresses,
                          size_t count)
{
    if (subchannel->state == SUBCHANNEL_CONNECTING) {
        return; /* its attempt goes through the list that it began with */
    }
    struct hf_grpc_address *copy = calloc(count, sizeof(*copy));
    if (copy != NULL) {
        memcpy(copy, addresses, count * sizeof(*copy));
        free(subchannel->addresses);
        subchannel->addresses = copy;
        subchannel->address_count = count;
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

static void drop_subchannel(struct hf_grpc_client *client, size_t index)
{
    struct subchannel *subchannel = client->subchannels[index];
    client->subchannels[index] = client->subchannels[--client->subchannel_count];
    if (subchannel->connection != NULL) {
        subchannel->connection->subchannel = NULL;
        hf_grpc_client_connection_dirty(
            subchannel->connection); /* ends as soon as its calls have */
        if (subchannel->state == SUBCHANNEL_CONNECTING) {
            hf_grpc_client_connection_kill(subchannel->connection, "its address is gone");
        }
    }
    free_subchannel(subchannel);
}

/* One subchannel an address: those that are gone leave, new ones come. */
static void spread(struct hf_grpc_client *client, const struct hf_grpc_lookup_result *result)
{
    for (size_t i = client->subchannel_count; i > 0; i--) {
        struct subchannel *subchannel = client->subchannels[i - 1];
        if (subchannel->address_count == 0 || !is_among(&subchannel->addresses[0], result)) {
            drop_subchannel(client, i - 1);
        }
    }
    for (size_t i = 0; i < result->count; i++) {
        bool known = false;
        for (size_t j = 0; j < client->subchannel_count && !known; j++) {
            known =
                hf_grpc_address_equal(&client->subchannels[j]->addresses[0], &result->addresses[i]);
        }
        struct subchannel *subchannel = known ? NULL : add_subchannel(client);
        if (subchannel != NULL) {
            set_addresses(subchannel, &result->addresses[i], 1);
            if (subchannel->address_count == 0) {
                drop_subchannel(client, client->subchannel_count - 1);
            }
        }
    }
}

static void connect_those_down(struct hf_grpc_client *client)
{
    for (size_t i = 0; i < client->subchannel_count; i++) {
        if (client->subchannels[i]->state == SUBCHANNEL_DOWN) {
            connect_subchannel(client->subchannels[i]);
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
        for (size_t i = 0; i < client->subchannel_count; i++) {
            struct subchannel *subchannel = client->subchannels[i];
            if (subchannel->state == SUBCHANNEL_DOWN && subchannel->address_count == 0) {
                rest_subchannel(subchannel, result->error);
            }
        }
    } else if (client->options.round_robin) {
        spread(client, result);
    } else {
        set_addresses(client->subchannels[0], result->addresses, result->count);
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

enum hf_status hf_grpc_subchannels_open(struct hf_grpc_client *client)
{
    struct hf_grpc_address literal;
    const struct hf_grpc_target *target =
        client->has_proxy ? &client->proxy.target : &client->target;
    client->lookup_timer.fire = on_lookup_due;
    struct subchannel *subchannel = add_subchannel(client);
    if (subchannel == NULL) {
        return HF_NOMEM;
    }
    if (hf_grpc_resolve_literal(target, &literal)) {
        set_addresses(subchannel, &literal, 1);
        if (subchannel->address_count == 0) {
            return HF_NOMEM;
        }
        connect_subchannel(subchannel);
    } else {
        look_up(client);
    }
    return HF_OK;
}

void hf_grpc_subchannels_close(struct hf_grpc_client *client)
{
    if (client->lookup != NULL) {
        hf_grpc_resolve_cancel(client->lookup);
        client->lookup = NULL;
    }
    hf_loop_timer_stop(client->options.loop, &client->lookup_timer);
    while (client->subchannel_count > 0) {
        struct subchannel *subchannel = client->subchannels[--client->subchannel_count];
        if (subchannel->connection != NULL) {
            subchannel->connection->subchannel = NULL;
        }
        free_subchannel(subchannel);
    }
}

struct client_connection *hf_grpc_subchannels_pick(struct hf_grpc_client *client)
{
    for (size_t i = 0; i < client->subchannel_count; i++) {
        size_t index = (client->next_subchannel + i) % client->subchannel_count;
        struct subchannel *subchannel = client->subchannels[index];
        if (subchannel->state == SUBCHANNEL_UP) {
            client->next_subchannel = index + 1;
            return subchannel->connection;
        }
        if (subchannel->state == SUBCHANNEL_BACKOFF && subchannel->timer.place == 0) {
            revive(subchannel);
        }
    }
    return NULL;
}
