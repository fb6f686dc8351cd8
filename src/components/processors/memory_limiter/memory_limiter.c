/*
 * memory_limiter: admission by memory. A timer reads how much anonymous memory the process has;
 * while it is at the soft limit or over, batches are refused with a retryable status, and the
 * senders keep them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "util/loop.h"
#include "util/memory.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define MIB (UINT64_C(1) << 20)
#define INTERVAL_LEAST_NS (10 * HF_NS_PER_MS) /* a shorter one would cost more than it tells */
#define INTERVAL_WHEN_REFUSING_NS (100 * HF_NS_PER_MS) /* at most: to resume soon */
#define TRIM_INTERVAL_LEAST_NS HF_NS_PER_S             /* giving memory back takes milliseconds */

struct limiter_config {
    uint64_t check_interval_ns;
    int64_t limit_mib, spike_limit_mib;
    int64_t limit_percentage, spike_limit_percentage;
    uint64_t min_gc_soft_ns, min_gc_hard_ns;
};

/* Owned by the loop between start and stop, but for what `process` reads. */
struct limiter {
    const struct hf_node *node;
    const struct limiter_config *config;
    struct hf_loop *loop;
    struct hf_timer timer;
    struct hf_task begin, end;
    sem_t ended;
    int statm_fd;
    uint64_t hard_bytes, soft_bytes;
    uint64_t trimmed_ns; /* when memory was given back last; 0: never */
    /* Read by every receiving thread: a stale value lets a batch or two in, or refuses them;
     * neither does harm. */
    atomic_bool refusing;
    struct hf_series *accepted[HF_SIGNAL_COUNT], *refused[HF_SIGNAL_COUNT];
};

static const char *check(const void *config)
{
    const struct limiter_config *limiter = config;
    if (limiter->check_interval_ns == 0) {
        return "check_interval must be greater than zero";
    }
    if (limiter->min_gc_soft_ns < limiter->min_gc_hard_ns) {
        return "min_gc_interval_when_soft_limited should be larger than "
               "min_gc_interval_when_hard_limited";
    }
    if (limiter->limit_mib == 0 && limiter->limit_percentage == 0) {
        return "limit_mib or limit_percentage must be greater than zero";
    }
    if (limiter->limit_mib > 0 && limiter->spike_limit_mib >= limiter->limit_mib) {
        return "spike_limit_mib must be smaller than limit_mib";
    }
    if (limiter->limit_percentage > 0 &&
        limiter->spike_limit_percentage >= limiter->limit_percentage) {
        return "spike_limit_percentage must be smaller than limit_percentage";
    }
    return NULL;
}

static enum hf_status find_limits(struct limiter *limiter, char *reterr)
{
    const struct limiter_config *config = limiter->config;
    uint64_t limit = (uint64_t)config->limit_mib * MIB;
    uint64_t spike = (uint64_t)config->spike_limit_mib * MIB;
    if (limit == 0) {
        uint64_t available;
        if (hf_memory_available("", &available) != HF_OK) {
            snprintf(
                reterr, HF_ERROR_MAX,
                "limit_percentage: neither a cgroup's limit nor /proc/meminfo can be read; set "
                "limit_mib instead");
            return HF_IO;
        }
        limit = available / 100 * (uint64_t)config->limit_percentage;
        spike = available / 100 * (uint64_t)config->spike_limit_percentage;
    }
    if (spike == 0) {
        spike = limit / 5;
    }
    limiter->hard_bytes = limit;
    limiter->soft_bytes = limit - spike;
    return HF_OK;
}

static struct hf_series *counter(const struct hf_node *node, const char *what,
                                 enum hf_signal signal)
{
    char name[96];
    char help[96];
    snprintf(name, sizeof(name), "otelcol_processor_%s_%s", what, hf_signal_items_name(signal));
    snprintf(help, sizeof(help), "Items of %s that the processor %s.", hf_signal_name(signal),
             what);
    const struct hf_metric_family family = {
        .name = name, .type = HF_COUNTER, .unit = "", .help = help};
    const struct hf_label labels[] = {{"processor", hf_node_id(node)}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

static bool add_counters(struct limiter *limiter)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if ((hf_node_signals(limiter->node) & HF_SIGNAL_BIT(signal)) == 0) {
            continue;
        }
        limiter->accepted[signal] = counter(limiter->node, "accepted", (enum hf_signal)signal);
        limiter->refused[signal] = counter(limiter->node, "refused", (enum hf_signal)signal);
        if (limiter->accepted[signal] == NULL || limiter->refused[signal] == NULL) {
            return false;
        }
    }
    return true;
}

static void close_limiter(void *self)
{
    struct limiter *limiter = self;
    if (limiter->statm_fd >= 0) {
        close(limiter->statm_fd);
    }
    sem_destroy(&limiter->ended);
    free(limiter);
}

static enum hf_status open_limiter(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    size_t loop_count;
    struct limiter *limiter = calloc(1, sizeof(*limiter));
    if (limiter == NULL) {
        return HF_NOMEM;
    }
    limiter->node = node;
    limiter->config = config;
    limiter->loop = hf_node_loops(node, &loop_count)[0];
    sem_init(&limiter->ended, 0, 0);
    limiter->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    enum hf_status status = find_limits(limiter, reterr);
    if (status == HF_OK && limiter->statm_fd < 0) {
        snprintf(reterr, HF_ERROR_MAX, "cannot open /proc/self/statm: %s; mount /proc",
                 strerror(errno));
        status = HF_IO;
    }
    if (status == HF_OK && !add_counters(limiter)) {
        status = HF_NOMEM;
    }
    if (status != HF_OK) {
        close_limiter(limiter);
        return status;
    }
    *ret_self = limiter;
    return HF_OK;
}

/* Gives free memory back to the system, now and then. */
static void trim(struct limiter *limiter, uint64_t used, uint64_t now_ns)
{
    uint64_t least_ns = used >= limiter->hard_bytes ? limiter->config->min_gc_hard_ns
                                                    : limiter->config->min_gc_soft_ns;
    if (least_ns < TRIM_INTERVAL_LEAST_NS) {
        least_ns = TRIM_INTERVAL_LEAST_NS;
    }
    if (limiter->trimmed_ns == 0 || now_ns - limiter->trimmed_ns >= least_ns) {
        malloc_trim(0);
        limiter->trimmed_ns = now_ns;
    }
}

static void measure(struct limiter *limiter, uint64_t now_ns)
{
    uint64_t used = 0;
    bool was = atomic_load_explicit(&limiter->refusing, memory_order_relaxed);
    enum hf_status status = hf_memory_used(limiter->statm_fd, &used);
    if (status == HF_OK && used >= limiter->soft_bytes) {
        trim(limiter, used, now_ns);
        status = hf_memory_used(limiter->statm_fd, &used);
    }
    /* Not to know is no reason to refuse. */
    bool now = status == HF_OK && used >= limiter->soft_bytes;
    atomic_store_explicit(&limiter->refusing, now, memory_order_relaxed);
    if (now && !was) {
        hf_node_log_keys(limiter->node, HF_LOG_WARN,
                         "Memory usage is above soft limit. Refusing data.",
                         HF_LOG_KEYS(HF_LOG_NUMBER("cur_mem_mib", used / MIB),
                                     HF_LOG_NUMBER("soft_limit_mib", limiter->soft_bytes / MIB)));
    } else if (was && !now) {
        hf_node_log_keys(limiter->node, HF_LOG_INFO,
                         "Memory usage back within limits. Resuming normal operation.",
                         HF_LOG_KEYS(HF_LOG_NUMBER("cur_mem_mib", used / MIB)));
    }
}

static void set_timer(struct limiter *limiter, uint64_t now_ns)
{
    uint64_t interval_ns = limiter->config->check_interval_ns;
    if (atomic_load_explicit(&limiter->refusing, memory_order_relaxed) &&
        interval_ns > INTERVAL_WHEN_REFUSING_NS) {
        interval_ns = INTERVAL_WHEN_REFUSING_NS;
    }
    if (interval_ns < INTERVAL_LEAST_NS) {
        interval_ns = INTERVAL_LEAST_NS;
    }
    if (hf_loop_timer_set(limiter->loop, &limiter->timer, now_ns + interval_ns) != HF_OK) {
        atomic_store_explicit(&limiter->refusing, false, memory_order_relaxed);
        hf_node_log(limiter->node, HF_LOG_ERROR, "Out of memory. The memory limit is off.");
    }
}

static void on_timer(struct hf_timer *timer, uint64_t now_ns)
{
    struct limiter *limiter = HF_CONTAINER(timer, struct limiter, timer);
    measure(limiter, now_ns);
    set_timer(limiter, now_ns);
}

static void begin(struct hf_task *task)
{
    struct limiter *limiter = HF_CONTAINER(task, struct limiter, begin);
    on_timer(&limiter->timer, hf_clock_monotonic_ns());
}

static void end(struct hf_task *task)
{
    struct limiter *limiter = HF_CONTAINER(task, struct limiter, end);
    hf_loop_timer_stop(limiter->loop, &limiter->timer);
    sem_post(&limiter->ended);
}

static enum hf_status start_limiter(void *self, char *reterr)
{
    struct limiter *limiter = self;
    (void)reterr;
    hf_node_log_keys(limiter->node, HF_LOG_INFO, "Memory limiter configured",
                     HF_LOG_KEYS(HF_LOG_NUMBER("limit_mib", limiter->hard_bytes / MIB),
                                 HF_LOG_NUMBER("spike_limit_mib",
                                               (limiter->hard_bytes - limiter->soft_bytes) / MIB)));
    limiter->timer.fire = on_timer;
    limiter->begin.run = begin;
    limiter->end.run = end;
    if (hf_loop_is_own_thread(limiter->loop)) {
        begin(&limiter->begin);
    } else {
        hf_loop_post(limiter->loop, &limiter->begin);
    }
    return HF_OK;
}

/* The timer belongs to the loop: what it uses goes only when the loop has let go of it. */
static void stop_limiter(void *self)
{
    struct limiter *limiter = self;
    if (hf_loop_is_own_thread(limiter->loop)) {
        end(&limiter->end);
    } else {
        hf_loop_post(limiter->loop, &limiter->end);
    }
    while (sem_wait(&limiter->ended) != 0 && errno == EINTR) {
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct limiter *limiter = self;
    if (atomic_load_explicit(&limiter->refusing, memory_order_relaxed)) {
        hf_series_add(limiter->refused[batch->signal], batch->items);
        return HF_BUSY;
    }
    hf_series_add(limiter->accepted[batch->signal], batch->items);
    hf_ref_take(&batch->ref);
    *ret_batch = batch;
    return HF_OK;
}

static uint64_t memory_limit(const void *self)
{
    const struct limiter *limiter = self;
    return limiter->hard_bytes;
}

static const struct hf_field fields[] = {
    {.key = "check_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct limiter_config, check_interval_ns),
     .default_text = "0s",
     .help = "How often memory is measured; must be given."},
    {.key = "limit_mib",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct limiter_config, limit_mib),
     .default_text = "0",
     .min = 0,
     .max = 4294967295.0,
     .help = "The hard limit on anonymous memory, RssAnon in /proc/PID/status: what the process "
             "allocated. Pages of files, such as the queue's, count for RSS but not here."},
    {.key = "spike_limit_mib",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct limiter_config, spike_limit_mib),
     .default_text = "0",
     .min = 0,
     .max = 4294967295.0,
     .help = "Refusing begins as much below the hard limit; 0: a fifth of it."},
    {.key = "limit_percentage",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct limiter_config, limit_percentage),
     .default_text = "0",
     .min = 0,
     .max = 100,
     .help = "The hard limit in percent of the cgroup's, or else of the machine's memory; when "
             "limit_mib is 0."},
    {.key = "spike_limit_percentage",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct limiter_config, spike_limit_percentage),
     .default_text = "0",
     .min = 0,
     .max = 100,
     .help = "As spike_limit_mib, in percent of the same."},
    {.key = "min_gc_interval_when_soft_limited",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct limiter_config, min_gc_soft_ns),
     .default_text = "10s",
     .help = "At the soft limit, how often free memory is given back to the system."},
    {.key = "min_gc_interval_when_hard_limited",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct limiter_config, min_gc_hard_ns),
     .default_text = "0s",
     .help = "The same at the hard limit; never more often than once a second."},
    {.key = "max_gc_interval_when_soft_limited",
     .type = HF_FIELD_IGNORED,
     .help = "Giving memory back costs little."},
    {.key = "max_gc_interval_when_hard_limited",
     .type = HF_FIELD_IGNORED,
     .help = "Giving memory back costs little."},
    {.key = "garbage_collector",
     .type = HF_FIELD_IGNORED,
     .help = "There is no garbage collector."},
    {.key = "ballast_size_mib",
     .type = HF_FIELD_IGNORED,
     .help = "There is no garbage collector that a ballast would slow."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
    .memory_limit = memory_limit,
};

const struct hf_component hf_processor_memory_limiter = {
    .type = "memory_limiter",
    .help = "Refuses data while the process has too much anonymous memory.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct limiter_config),
    .fields = fields,
    .check = check,
    .open = open_limiter,
    .start = start_limiter,
    .stop = stop_limiter,
    .close = close_limiter,
    .processor = &processor_ops,
};
