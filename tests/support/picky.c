/*
 * picky: an exporter that only tests have, with an answer for each item by the integer `test.id` of
 * its attributes: of those that divide by 7 it never takes one, of others that divide by 3 none at
 * the first attempt. The ids that it takes go into a file, 8 bytes each in the machine's order,
 * before it answers: the test's truth.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "pdata/any.h"
#include "pdata/document.h"
#include "pdata/walk.h"
#include "util/compress/compress.h"

#define ITEMS_MAX 65536

struct picky_config {
    const char *path;
};

struct picky {
    int fd;
    struct hf_item_outcome outcomes[ITEMS_MAX];
    int64_t taken[ITEMS_MAX];
};

/* One request being read. */
struct reading {
    struct hf_visitor visitor;
    struct picky *picky;
    unsigned attempt;
    uint32_t at; /* number of the next item */
    size_t outcome_count, taken_count;
};

static int64_t id_of(const struct hf_place *place)
{
    struct hf_attributes *attributes = hf_message_attributes(
        place->item, hf_message_attributes_number(hf_message_type(place->item)));
    const struct hf_attribute *id = hf_attributes_find(attributes, hf_slice_text("test.id"));
    return id != NULL ? hf_any_read(id->value).integer : 0;
}

static enum hf_visit look_at(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct reading *reading = HF_CONTAINER(visitor, struct reading, visitor);
    struct picky *picky = reading->picky;
    int64_t id = id_of(place);
    uint32_t at = reading->at++;
    if (id % 7 != 0 && (id % 3 != 0 || reading->attempt > 1)) {
        picky->taken[reading->taken_count++] = id;
        return HF_VISIT_SKIP;
    }
    picky->outcomes[reading->outcome_count++] = (struct hf_item_outcome){
        .first = at,
        .count = 1,
        .status = id % 7 == 0 ? HF_INVALID : HF_BUSY,
        .code = id % 7 == 0 ? 400 : 429,
        .message = id % 7 == 0 ? "it divides by 7" : "not yet",
    };
    return HF_VISIT_SKIP;
}

/* False: out of memory. */
static bool read_body(struct reading *reading, enum hf_signal signal,
                      const struct hf_export_body *body)
{
    struct hf_bytes raw = {0};
    bool is_plain = body->coding == HF_IDENTITY;
    if (!is_plain &&
        hf_decode(body->coding, body->wire, (size_t)body->raw_size + 1, &raw) != HF_OK) {
        return false;
    }
    struct hf_document *document =
        hf_document_borrow(signal, is_plain ? body->wire : hf_slice_of(raw.data, raw.size));
    bool ok = document != NULL;
    if (ok) {
        hf_walk(document, &reading->visitor);
        ok = hf_document_status(document) == HF_OK;
    }
    hf_document_return(document);
    hf_bytes_release(&raw);
    return ok;
}

static void send_picky(void *self, struct hf_export *export)
{
    struct picky *picky = self;
    struct reading reading = {
        .visitor = {.item = look_at}, .picky = picky, .attempt = export->attempt};
    struct hf_outcome outcome = {.status = HF_OK, .items = picky->outcomes};
    bool ok = export->items <= ITEMS_MAX;
    for (size_t i = 0; ok && i < export->body_count; i++) {
        ok = read_body(&reading, export->signal, &export->bodies[i]);
    }
    size_t size = reading.taken_count * sizeof(picky->taken[0]);
    if (!ok || write(picky->fd, picky->taken, size) != (ssize_t)size) {
        outcome = (struct hf_outcome){.status = HF_AGAIN, .message = "cannot write"};
    } else {
        outcome.item_count = reading.outcome_count;
    }
    hf_export_done(export, &outcome);
}

static enum hf_status open_picky(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    const struct picky_config *picky_config = config;
    struct picky *picky = calloc(1, sizeof(*picky));
    (void)node;
    (void)reterr;
    if (picky == NULL) {
        return HF_NOMEM;
    }
    picky->fd = open(picky_config->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (picky->fd < 0) {
        free(picky);
        return HF_IO;
    }
    *ret_self = picky;
    return HF_OK;
}

static void close_picky(void *self)
{
    struct picky *picky = self;
    close(picky->fd);
    free(picky);
}

static const struct hf_field fields[] = {
    {.key = "path",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct picky_config, path),
     .required = true,
     .help = "Where the ids go that were taken."},
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = send_picky,
};

const struct hf_component hf_exporter_picky = {
    .type = "picky",
    .help = "Takes some items and not others.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct picky_config),
    .fields = fields,
    .open = open_picky,
    .close = close_picky,
    .exporter = &exporter_ops,
};
