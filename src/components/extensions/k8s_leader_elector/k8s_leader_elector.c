/*
 * k8s_leader_elector: elects one of several processes by a Lease of the Kubernetes API, so that
 * receivers with `k8s_leader_elector: ID` read in one process alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <holdfast/component.h>

#include "kubernetes/request.h"
#include "lease.h"
#include "support/probe/probe_kubernetes.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
#define GIVE_UP_NS (2 * HF_NS_PER_S)
#define GROUP "/apis/coordination.k8s.io/v1/namespaces/"

struct elector_config {
    struct hf_kube_config kube; /* first */
    const char *lease_name, *lease_namespace;
    uint64_t duration_ns, renew_deadline_ns, retry_ns;
};

struct elector {
    struct hf_node *node;
    const struct elector_config *config;
    struct hf_kube_client *client;
    struct lease_config lease_config;
    char identity[40];
    char *one_path, *all_path;
    /* On the client's thread. */
    struct lease lease;
    struct lease_record record; /* that the running request is about */
    enum lease_step step;       /* of the running write */
    uint64_t since_ns;          /* when the one before surely worked */
    struct hf_leader_listener *listeners;
    struct hf_timer timer;
    struct hf_kube_request request;
    bool is_running, is_stopping;
    uint64_t begun_ns;
    char text[2048]; /* of the object that is written */
    char said[HF_ERROR_MAX];
    uint64_t say_again_ns;
    sem_t stopped;
};

static void look(struct hf_timer *timer, uint64_t now_ns);

/* ---- who leads ---- */

static void tell_all(struct elector *elector)
{
    bool is_leader = elector->lease.is_leader;
    hf_node_log(elector->node, HF_LOG_INFO,
                is_leader ? "this process leads: it holds the lease "
                            "%s/%s"
                          : "this process leads no longer: lease %s/%s",
                elector->config->lease_namespace, elector->config->lease_name);
    for (struct hf_leader_listener *l = elector->listeners; l != NULL; l = l->next) {
        l->changed(l, is_leader, is_leader ? elector->since_ns : 0);
    }
}

static void lose(struct elector *elector)
{
    if (elector->lease.is_leader) {
        elector->lease.is_leader = false;
        tell_all(elector);
    }
}

static void complain(struct elector *elector, const char *what, const char *why)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    char sentence[HF_ERROR_MAX];
    snprintf(sentence, sizeof(sentence), "%s the lease %.100s/%.100s failed: %.200s", what,
             elector->config->lease_namespace, elector->config->lease_name, why);
    if (strcmp(sentence, elector->said) != 0 || now_ns >= elector->say_again_ns) {
        snprintf(elector->said, sizeof(elector->said), "%s", sentence);
        elector->say_again_ns = now_ns + SAY_AGAIN_NS;
        hf_node_log(elector->node, HF_LOG_WARN,
                    "%s; trying again (a Role needs the verbs get, create and update for leases)",
                    sentence);
    }
}

/* The next attempt; a leader is not late for its own deadline. */
static void look_later(struct elector *elector)
{
    uint64_t now_ns = hf_clock_monotonic_ns(), due_ns = now_ns + elector->config->retry_ns;
    if (lease_is_overdue(&elector->lease, now_ns)) {
        lose(elector);
    }
    uint64_t end_ns = elector->lease.renewed_ns + elector->config->renew_deadline_ns;
    if (elector->lease.is_leader && due_ns > end_ns) {
        due_ns = end_ns;
    }
    if (!elector->is_stopping &&
        hf_loop_timer_set(hf_kube_client_loop(elector->client), &elector->timer, due_ns) != HF_OK) {
        hf_node_log(elector->node, HF_LOG_ERROR, "out of memory: no leader is elected");
        lose(elector);
    }
}

/* ---- requests ---- */

static void send(struct elector *elector, const char *method, const char *path, size_t size,
                 void (*done)(struct hf_kube_request *, const struct hf_kube_answer *))
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t start_ns = elector->lease.is_leader ? elector->lease.renewed_ns : now_ns;
    elector->request = (struct hf_kube_request){
        .method = method,
        .path = path,
        .json = hf_slice_of((const uint8_t *)elector->text, size),
        .deadline_ns = elector->is_stopping ? now_ns + GIVE_UP_NS
                                            : start_ns + elector->config->renew_deadline_ns,
        .done = done,
    };
    elector->is_running = hf_kube_request_send(elector->client, &elector->request) == HF_OK;
    if (!elector->is_running) {
        complain(elector, "asking for", "out of memory");
        look_later(elector);
    }
}

static struct elector *elector_of(struct hf_kube_request *request)
{
    struct elector *elector = HF_CONTAINER(request, struct elector, request);
    elector->is_running = false;
    return elector;
}

static void on_written(struct hf_kube_request *request, const struct hf_kube_answer *answer)
{
    struct elector *elector = elector_of(request);
    bool is_written = answer->status == HF_OK && answer->code / 100 == 2;
    bool was_leader = elector->lease.is_leader;
    char why[HF_ERROR_MAX];
    if (answer->status == HF_CLOSED) {
        return;
    }
    if (is_written) {
        elector->said[0] = '\0';
        lease_won(&elector->lease, elector->begun_ns);
        if (!was_leader) {
            elector->since_ns = elector->step == LEASE_TAKE ? elector->record.renewed_ns : 0;
            tell_all(elector);
        }
    } else if (answer->status != HF_OK || answer->code != 409) {
        hf_kube_explain(answer, why, sizeof(why));
        complain(elector, "writing", why);
    } /* of two candidates one is refused with 409 */
    look_later(elector);
}

static void write_lease(struct elector *elector, const struct lease_record *record)
{
    if (lease_write(&elector->lease, elector->step, record, hf_clock_unix_ns(), elector->text,
                    sizeof(elector->text)) != HF_OK) {
        complain(elector, "writing", "its name is too long");
        look_later(elector);
        return;
    }
    bool is_new = elector->step == LEASE_CREATE;
    send(elector, is_new ? "POST" : "PUT", is_new ? elector->all_path : elector->one_path,
         strlen(elector->text), on_written);
}

static bool read_lease(struct hf_slice body, struct lease_record *ret_record)
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *object;
    char error[HF_JSON_ERROR_MAX];
    bool is_read =
        hf_json_read(body, &arena, &object, error) == HF_OK && lease_read(object, ret_record);
    hf_arena_release(&arena);
    return is_read;
}

static void on_read(struct hf_kube_request *request, const struct hf_kube_answer *answer)
{
    struct elector *elector = elector_of(request);
    bool is_there = answer->status == HF_OK && answer->code == 200;
    bool is_missing = answer->status == HF_OK && answer->code == 404;
    char why[HF_ERROR_MAX];
    if (answer->status == HF_CLOSED) {
        return;
    }
    if (is_there && !read_lease(answer->body, &elector->record)) {
        complain(elector, "reading", "the answer is no Lease");
        look_later(elector);
        return;
    }
    if (!is_there && !is_missing) {
        hf_kube_explain(answer, why, sizeof(why));
        complain(elector, "reading", why);
        look_later(elector);
        return;
    }
    elector->step =
        lease_decide(&elector->lease, is_there ? &elector->record : NULL, hf_clock_monotonic_ns());
    if (elector->step != LEASE_RENEW) {
        lose(elector); /* another one took it, or it was deleted */
    }
    if (elector->step == LEASE_WAIT) {
        elector->said[0] = '\0';
        look_later(elector);
    } else {
        write_lease(elector, is_there ? &elector->record : NULL);
    }
}

static void look(struct hf_timer *timer, uint64_t now_ns)
{
    struct elector *elector = HF_CONTAINER(timer, struct elector, timer);
    if (lease_is_overdue(&elector->lease, now_ns)) {
        lose(elector);
    }
    elector->begun_ns = hf_clock_monotonic_ns();
    send(elector, "GET", elector->one_path, 0, on_read);
}

/* ---- what receivers call ---- */

struct membership {
    struct elector *elector;
    struct hf_leader_listener *listener;
};

static void add(void *user)
{
    struct membership *membership = user;
    struct elector *elector = membership->elector;
    membership->listener->next = elector->listeners;
    elector->listeners = membership->listener;
    if (elector->lease.is_leader) {
        membership->listener->changed(membership->listener, true, elector->since_ns);
    }
}

static void join(void *self, struct hf_leader_listener *listener)
{
    struct membership membership = {.elector = self, .listener = listener};
    hf_kube_client_run(membership.elector->client, add, &membership);
}

static void drop(void *user)
{
    struct membership *membership = user;
    struct hf_leader_listener **place = &membership->elector->listeners;
    while (*place != NULL && *place != membership->listener) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        *place = membership->listener->next;
    }
}

static void leave(void *self, struct hf_leader_listener *listener)
{
    struct membership membership = {.elector = self, .listener = listener};
    hf_kube_client_run(membership.elector->client, drop, &membership);
}

/* ---- life; the main thread ---- */

static void close_elector(void *self)
{
    struct elector *elector = self;
    hf_kube_client_close(elector->client);
    sem_destroy(&elector->stopped);
    free(elector->one_path);
    free(elector->all_path);
    free(elector);
}

static bool prepare(struct elector *elector)
{
    const struct elector_config *config = elector->config;
    uint64_t random[2] = {hf_clock_unix_ns(), hf_clock_monotonic_ns()};
    (void)!getrandom(random, sizeof(random), GRND_NONBLOCK);
    snprintf(elector->identity, sizeof(elector->identity), "%016" PRIx64 "%016" PRIx64, random[0],
             random[1]);
    elector->lease_config = (struct lease_config){.name = config->lease_name,
                                                  .space = config->lease_namespace,
                                                  .identity = elector->identity,
                                                  .duration_ns = config->duration_ns,
                                                  .renew_deadline_ns = config->renew_deadline_ns};
    elector->lease.config = &elector->lease_config;
    elector->timer.fire = look;
    if (asprintf(&elector->all_path, GROUP "%s/leases", config->lease_namespace) < 0) {
        elector->all_path = NULL;
    }
    if (asprintf(&elector->one_path, GROUP "%s/leases/%s", config->lease_namespace,
                 config->lease_name) < 0) {
        elector->one_path = NULL;
    }
    return elector->all_path != NULL && elector->one_path != NULL;
}

static enum hf_status open_elector(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    const struct elector_config *keys = config;
    struct elector *elector = calloc(1, sizeof(*elector));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (elector == NULL) {
        return HF_NOMEM;
    }
    elector->node = node;
    elector->config = keys;
    sem_init(&elector->stopped, 0, 0);
    enum hf_status status = prepare(elector) ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        status = hf_kube_client_open(&keys->kube, &elector->client, reterr);
    }
    if (status != HF_OK) {
        close_elector(elector);
        return status;
    }
    *ret_self = elector;
    return HF_OK;
}

static void begin(void *user)
{
    struct elector *elector = user;
    look(&elector->timer, hf_clock_monotonic_ns());
}

static enum hf_status start_elector(void *self, char *reterr)
{
    struct elector *elector = self;
    (void)reterr;
    hf_kube_client_run(elector->client, begin, elector);
    return HF_OK;
}

static void on_given_up(struct hf_kube_request *request, const struct hf_kube_answer *answer)
{
    struct elector *elector = elector_of(request);
    (void)answer; /* if it failed, the lease ends by itself */
    sem_post(&elector->stopped);
}

/* Gives the lease up, so that the next one need not wait for its end. */
static void on_last_read(struct hf_kube_request *request, const struct hf_kube_answer *answer)
{
    struct elector *elector = elector_of(request);
    bool is_ours = answer->status == HF_OK && answer->code == 200 &&
                   read_lease(answer->body, &elector->record) &&
                   strcmp(elector->record.holder, elector->identity) == 0 &&
                   lease_write(&elector->lease, LEASE_WAIT, &elector->record, hf_clock_unix_ns(),
                               elector->text, sizeof(elector->text)) == HF_OK;
    if (is_ours) {
        send(elector, "PUT", elector->one_path, strlen(elector->text), on_given_up);
    }
    if (!is_ours || !elector->is_running) {
        sem_post(&elector->stopped);
    }
}

static void end(void *user)
{
    struct elector *elector = user;
    bool was_leader = elector->lease.is_leader;
    elector->is_stopping = true;
    hf_loop_timer_stop(hf_kube_client_loop(elector->client), &elector->timer);
    if (elector->is_running) {
        hf_kube_request_cancel(&elector->request);
    }
    lose(elector);
    if (was_leader) {
        send(elector, "GET", elector->one_path, 0, on_last_read);
    }
    if (!was_leader || !elector->is_running) {
        sem_post(&elector->stopped);
    }
}

static void stop_elector(void *self)
{
    struct elector *elector = self;
    hf_kube_client_run(elector->client, end, elector);
    while (sem_wait(&elector->stopped) != 0 && errno == EINTR) {
    }
}

/* ---- keys ---- */

/* A name of the API: no path, no quotes. */
static const char *object_name(const char *key, const char *text)
{
    (void)key;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    bool is_name = text[0] != '\0' && text[strspn(text, letters)] == '\0' && strlen(text) < 254;
    return is_name ? NULL : "a name of lower-case letters, digits, dashes and dots";
}

static const char *check_elector(const void *config)
{
    const struct elector_config *keys = config;
    if (keys->renew_deadline_ns >= keys->duration_ns) {
        return "renew_deadline must be shorter than lease_duration";
    }
    return keys->retry_ns < keys->renew_deadline_ns
               ? NULL
               : "retry_period must be shorter than renew_deadline";
}

#define AT(member) offsetof(struct elector_config, member)

static const struct hf_field fields[] = {
    HF_KUBE_FIELDS,
    {.key = "lease_name",
     .type = HF_FIELD_STRING,
     .offset = AT(lease_name),
     .validate = object_name,
     .required = true,
     .help = "Name of the Lease that the candidates share."},
    {.key = "lease_namespace",
     .type = HF_FIELD_STRING,
     .offset = AT(lease_namespace),
     .validate = object_name,
     .required = true,
     .help = "Its namespace."},
    {.key = "lease_duration",
     .type = HF_FIELD_DURATION,
     .offset = AT(duration_ns),
     .default_text = "15s",
     .min = 1e9,
     .max = 1e14,
     .help = "How long the others wait for a leader that does not renew; whole seconds, rounded "
             "up."},
    {.key = "renew_deadline",
     .type = HF_FIELD_DURATION,
     .offset = AT(renew_deadline_ns),
     .default_text = "10s",
     .min = 1e7,
     .max = 1e14,
     .help = "How long a leader tries to renew before it gives up; shorter than lease_duration."},
    {.key = "retry_period",
     .type = HF_FIELD_DURATION,
     .offset = AT(retry_ns),
     .default_text = "2s",
     .min = 1e7,
     .max = 1e14,
     .help = "Time between two looks at the lease."},
    HF_FIELDS_END,
};

static const struct hf_leader leader = {.join = join, .leave = leave};

static const struct hf_extension_ops extension_ops = {.leader = &leader};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct elector_config *config = from;
    const struct hf_probe_right right = {
        .verbs = "get,create,update",
        .group = "coordination.k8s.io",
        .resource = "leases",
        .namespace = config->lease_namespace,
    };
    hf_probe_kubernetes(probe, &config->kube, &right, 1);
}

const struct hf_component hf_extension_k8s_leader_elector = {
    .type = "k8s_leader_elector",
    .help = "Elects one of several processes by a Lease of the Kubernetes API.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct elector_config),
    .fields = fields,
    .check = check_elector,
    .probe = probe_outside,
    .open = open_elector,
    .start = start_elector,
    .stop = stop_elector,
    .close = close_elector,
    .extension = &extension_ops,
};
