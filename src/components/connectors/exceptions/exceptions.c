/*
 * exceptions: a connector that counts the exceptions that spans tell of in a cumulative metric, and
 * makes log records of them.
 *
 * It stands between two queues. A request is done with when its points and records are durable
 * behind; the counts themselves are in memory, and begin at 0 with a new start time after each
 * start. What was counted but not durable at a kill is counted again then, so that no exception is
 * missing in the sum over all start times, and some may be there twice.
 */
#include "exceptions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/value.h"
#include "util/time/clock.h"

#define BATCH_BYTES ((size_t)4 << 20)
#define IN_FLIGHT_BYTES ((size_t)8 << 20) /* made and not stored yet */
#define PRESET_BYTES_MAX ((size_t)1 << 20)

struct exception_dimension_config {
    const char *name;
    struct hf_value preset;
};

/* ---- the configuration ---- */

static const struct exception_dimension_config default_dimensions[] = {
    {.name = "exception.type"}, {.name = "exception.message"}};

static struct hf_struct_list dimensions_of(const struct exceptions_config *config)
{
    return config->dimensions_given
               ? config->dimensions
               : (struct hf_struct_list){default_dimensions, sizeof(default_dimensions) /
                                                                 sizeof(default_dimensions[0])};
}

static const char *check(const void *config)
{
    static const char *const taken[] = {"service.name", "span.kind", "span.name", "status.code"};
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct hf_struct_list list = dimensions_of(config);
    const struct exception_dimension_config *dimensions = list.items;
    for (size_t i = 0; i < list.count; i++) {
        const char *name = dimensions[i].name;
        bool is_taken = false;
        if (name == NULL || name[0] == '\0') {
            return "dimensions: give each a name";
        }
        for (size_t k = 0; k < sizeof(taken) / sizeof(taken[0]); k++) {
            is_taken = is_taken || strcmp(taken[k], name) == 0;
        }
        for (size_t k = 0; k < i; k++) {
            is_taken = is_taken || strcmp(dimensions[k].name, name) == 0;
        }
        if (is_taken) {
            snprintf(sentence, sizeof(sentence),
                     "dimensions: \"%.200s\" is there already (duplicate dimension name)", name);
            return sentence;
        }
    }
    return NULL;
}

/* ---- life ---- */

static void close_exceptions(void *self)
{
    struct exceptions *exceptions = self;
    exception_table_release(&exceptions->table);
    hf_arena_release(&exceptions->arena);
    free(exceptions->dimensions);
    free(exceptions);
}

static enum hf_status read_dimensions(struct exceptions *exceptions,
                                      const struct exceptions_config *config, char *reterr)
{
    struct hf_struct_list list = dimensions_of(config);
    const struct exception_dimension_config *from = list.items;
    exceptions->dimensions = calloc(list.count + 1, sizeof(*exceptions->dimensions));
    if (exceptions->dimensions == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < list.count; i++) {
        struct exception_dimension *dimension =
            &exceptions->dimensions[exceptions->dimension_count++];
        const struct hf_value text = {.type = HF_VALUE_STRING, .string = from[i].preset.string};
        dimension->name = from[i].name;
        dimension->preset = from[i].preset.type != HF_VALUE_NONE ? from[i].preset.string : NULL;
        enum hf_status status =
            dimension->preset != NULL
                ? hf_value_encode(&text, &exceptions->arena, &dimension->preset_value)
                : HF_OK;
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "dimensions[%zu]: default: %s", i,
                     status == HF_NOMEM ? "out of memory" : hf_value_problem(status));
            return status;
        }
    }
    return HF_OK;
}

static enum hf_status open_exceptions(struct hf_node *node, const void *config, void **ret_self,
                                      char *reterr)
{
    const struct exceptions_config *from = config;
    struct exceptions *exceptions = calloc(1, sizeof(*exceptions));
    if (exceptions == NULL) {
        return HF_NOMEM;
    }
    exceptions->node = node;
    exceptions->has_exemplars = from->exemplars.enabled;
    exceptions->start_ns = hf_clock_unix_ns();
    exceptions->arena.limit = PRESET_BYTES_MAX;
    enum hf_status status = exception_table_init(&exceptions->table, (size_t)from->series_max);
    if (status == HF_OK) {
        status = read_dimensions(exceptions, from, reterr);
    }
    if (status != HF_OK) {
        close_exceptions(exceptions);
        return status;
    }
    *ret_self = exceptions;
    return HF_OK;
}

/* ---- one request ---- */

struct job;

struct made {
    struct hf_output output;
    struct job *job;
    struct hf_batch *batch;
};

/* What is made of one request. */
struct job {
    struct exceptions *exceptions;
    struct hf_input *input;
    bool failed;
    size_t open; /* outputs without an answer */
    size_t count, capacity;
    struct made **items;
};

static void free_job(struct job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        hf_ref_drop(&job->items[i]->batch->ref);
        free(job->items[i]);
    }
    free(job->items);
    free(job);
}

/* HF_CLOSED: the graph is stopping. The request is given to the connector again after the start. */
static void made_done(struct hf_output *output, enum hf_status status)
{
    struct job *job = HF_CONTAINER(output, struct made, output)->job;
    const struct made *made = HF_CONTAINER(output, struct made, output);
    job->exceptions->in_flight_bytes -= made->batch->raw.size;
    if (status == HF_CLOSED) {
        job->input = NULL;
    }
    job->failed = job->failed || status != HF_OK;
    if (--job->open > 0) {
        return;
    }
    if (job->input != NULL) {
        hf_input_done(job->input, job->failed ? UINT32_MAX : 0);
    }
    free_job(job);
}

/* Takes over a batch of a builder, with the metadata of the request that it comes from. */
static enum hf_status add_made(struct job *job, struct hf_batch *batch)
{
    const struct hf_batch *source = job->input->batch;
    struct made *made = calloc(1, sizeof(*made));
    struct made **items = reallocarray(job->items, job->count + 1, sizeof(struct made *));
    job->items = items != NULL ? items : job->items;
    struct hf_batch *own =
        made != NULL && items != NULL
            ? hf_batch_wrap(batch->signal, HF_IDENTITY, batch->wire, &batch->ref, source->meta)
            : NULL;
    if (own == NULL) {
        free(made);
        return HF_NOMEM;
    }
    own->items = batch->items;
    own->received_ns = source->received_ns;
    *made = (struct made){.output.done = made_done, .job = job, .batch = own};
    job->items[job->count++] = made;
    return HF_OK;
}

static enum hf_status take_all(struct job *job, struct hf_builder *builder, enum hf_status status)
{
    struct hf_batch *batch;
    enum hf_status finished = hf_build_finish(builder);
    status = status == HF_OK ? finished : status;
    while ((batch = hf_build_take(builder)) != NULL) {
        status = status == HF_OK ? add_made(job, batch) : status;
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(builder);
    return status;
}

static bool leads_to(const struct exceptions *exceptions, enum hf_signal signal)
{
    size_t count = 0;
    hf_node_outputs(exceptions->node, signal, &count);
    return count > 0;
}

static enum hf_status make_all(struct job *job, struct hf_document *document)
{
    struct exceptions *exceptions = job->exceptions;
    struct hf_builder builder;
    enum hf_status status = HF_OK;
    if (leads_to(exceptions, HF_METRICS)) {
        hf_builder_init(&builder, HF_METRICS, BATCH_BYTES);
        status = exception_metrics(exceptions, document, hf_clock_unix_ns(), &builder);
        status = take_all(job, &builder, status);
    }
    if (status == HF_OK && leads_to(exceptions, HF_LOGS)) {
        hf_builder_init(&builder, HF_LOGS, BATCH_BYTES);
        status = exception_logs(exceptions, document, &builder);
        status = take_all(job, &builder, status);
    }
    return status;
}

static void say_overflow(struct exceptions *exceptions)
{
    if (!exceptions->has_overflowed && exception_table_overflows(&exceptions->table)) {
        exceptions->has_overflowed = true;
        hf_node_log(exceptions->node, HF_LOG_WARN,
                    "there are %zu series, as many as aggregation_cardinality_limit allows; others "
                    "are counted together, with otel.metric.overflow",
                    exceptions->table.count - 1);
    }
}

static void send_all(struct job *job)
{
    size_t count = job->count;
    job->open = count;
    for (size_t i = 0; i < count; i++) {
        job->exceptions->in_flight_bytes += job->items[i]->batch->raw.size;
    }
    for (size_t i = 0; i < count; i++) { /* the job may be gone with the last one */
        struct made *made = job->items[i];
        hf_emit(job->exceptions->node, made->batch, &made->output);
    }
}

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    struct exceptions *exceptions = self;
    if (exceptions->in_flight_bytes >= IN_FLIGHT_BYTES) {
        return HF_BUSY;
    }
    struct job *job = calloc(1, sizeof(*job));
    struct hf_document *document =
        job != NULL ? hf_document_borrow(input->batch->signal, input->batch->raw) : NULL;
    if (document == NULL) {
        free(job);
        return HF_NOMEM;
    }
    job->exceptions = exceptions;
    job->input = input;
    enum hf_status status = make_all(job, document);
    hf_document_return(document);
    say_overflow(exceptions);
    exception_table_settle(&exceptions->table, status == HF_OK);
    if (status != HF_OK || job->count == 0) {
        free_job(job);
        if (status == HF_OK) {
            hf_input_done(input, 0);
        }
        return status;
    }
    send_all(job);
    return HF_OK;
}

/* ---- fields ---- */

static const struct hf_field dimension_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct exception_dimension_config, name),
     .required = true,
     .help = "An attribute of the span, else of the event, else of the resource."},
    {.key = "default",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct exception_dimension_config, preset),
     .help = "Its text where none of them has it; without a default it is left out."},
    HF_FIELDS_END,
};

static const struct hf_field exemplar_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = 0,
     .default_text = "false",
     .help = "Points name the traces and spans that they come from."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "dimensions",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct exceptions_config, dimensions),
     .present_offset = offsetof(struct exceptions_config, dimensions_given),
     .inner = dimension_fields,
     .inner_size = sizeof(struct exception_dimension_config),
     .help = "Attributes beside service.name, span.name, span.kind and status.code; not given: "
             "exception.type and exception.message."},
    {.key = "exemplars",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct exceptions_config, exemplars),
     .inner = exemplar_fields,
     .help = "Exemplars of the points."},
    {.key = "aggregation_cardinality_limit",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct exceptions_config, series_max),
     .default_text = "10000",
     .min = 1,
     .max = 1000000,
     .help = "How many series are counted; what comes beyond is counted in one with the attribute "
             "otel.metric.overflow."},
    HF_FIELDS_END,
};

static const struct hf_queued_ops queued_ops = {
    .process_queued = process_queued,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {[HF_TRACES] = HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS)},
};

const struct hf_component hf_connector_exceptions = {
    .type = "exceptions",
    .help =
        "Counts the exceptions of spans, and makes log records of them. A request stays in its "
        "queue until what is made of it is on disk; counts begin at 0 after a start, and a kill "
        "repeats some at most.",
    .kind = HF_CONNECTOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct exceptions_config),
    .fields = fields,
    .check = check,
    .open = open_exceptions,
    .close = close_exceptions,
    .queued = &queued_ops,
    .connector = &connector_ops,
};
