/*
 * bind_scalar: binds a field that is one value: a text, a number, a duration, a choice.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bind.h"
#include "redact.h"
#include "scalar.h"
#include "util/suggest.h"

/* Up to here, 2^53, a double holds each whole number. */
#define EXACT_MAX 9007199254740992.0

static bool has_bounds(const struct hf_field *field)
{
    return field->min != 0.0 || field->max != 0.0;
}

/* One field being bound. */
struct slot {
    struct hf_load *load;
    const struct hf_key_path *path;
    const struct hf_yaml *node;
    const struct hf_field *field;
    void *at;
};

#define complain(slot, ...)                                                                        \
    hf_load_error((slot)->load, (slot)->node->place, (slot)->path, __VA_ARGS__)

/* Reports a number outside of the field's bounds; `show` writes one number as the user would. */
static bool within(const struct slot *slot, double number, struct hf_shown (*show)(double number))
{
    const struct hf_field *field = slot->field;

    if (!has_bounds(field) || (number >= field->min && number <= field->max)) {
        return true;
    }
    complain(slot, "expected a value from %s to %s, got %s", show(field->min).text,
             show(field->max).text, hf_yaml_show(slot->node).text);
    return false;
}

static struct hf_shown show_number(double number)
{
    struct hf_shown shown;

    snprintf(shown.text, sizeof(shown.text), "%.15g", number);
    return shown;
}

static bool is_yes_or_no(const char *text)
{
    static const char *const words[] = {"yes", "no", "on", "off", "y", "n"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void bind_bool(const struct slot *slot, const char *text)
{
    bool value = false;

    if (hf_scalar_bool(text, &value)) {
        *(bool *)slot->at = value;
        return;
    }
    complain(slot, "expected true or false, got %s%s", hf_show(text).text,
             is_yes_or_no(text) ? "; YAML takes that as text: write true or false" : "");
}

/* The Go collector's decoder cuts off the fraction of a number where a whole one is expected, and
 * says nothing. Text in quotes is not cut. */
static bool cut_fraction(const struct slot *slot, const char *text, int64_t *ret_value)
{
    double number = 0;

    if (slot->node->scalar != HF_SCALAR_DOUBLE ||
        hf_scalar_double(text, &number) != HF_SCALAR_GOOD || !(fabs(number) < EXACT_MAX)) {
        return false;
    }
    *ret_value = (int64_t)number;
    hf_load_warn(slot->load, slot->node->place, slot->path,
                 "%s is not a whole number; it is taken as %" PRId64
                 ", as the Go collector takes it",
                 hf_show(text).text, *ret_value);
    return true;
}

static void bind_int(const struct slot *slot, const char *text)
{
    int64_t value = 0;
    enum hf_scalar_result result = hf_scalar_int(text, &value);

    if (result == HF_SCALAR_BAD && cut_fraction(slot, text, &value)) {
        result = HF_SCALAR_GOOD;
    }
    if (result == HF_SCALAR_BAD) {
        complain(slot, "expected a whole number, got %s", hf_show(text).text);
    } else if (result == HF_SCALAR_RANGE) {
        complain(slot, "%s is too large for a whole number", hf_show(text).text);
    } else if (within(slot, (double)value, show_number)) {
        const char *digits = text + (*text == '-' || *text == '+');
        if (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') {
            hf_load_warn(slot->load, slot->node->place, slot->path,
                         "%s is read as octal, %" PRId64 "; write 0o%s if that is meant",
                         hf_show(text).text, value, digits + 1);
        }
        *(int64_t *)slot->at = value;
    }
}

static void bind_double(const struct slot *slot, const char *text)
{
    double value = 0;

    if (hf_scalar_double(text, &value) != HF_SCALAR_GOOD) {
        complain(slot, "expected a number, got %s", hf_show(text).text);
    } else if (within(slot, value, show_number)) {
        *(double *)slot->at = value;
    }
}

static void bind_duration(const struct slot *slot, const char *text)
{
    const char *error = NULL;
    int64_t value = 0;

    if (slot->node->scalar == HF_SCALAR_INT) {
        if (hf_scalar_int(text, &value) != HF_SCALAR_GOOD) {
            complain(slot, "%s is too large for a duration", hf_show(text).text);
            return;
        }
        if (value > 0) {
            hf_load_warn(slot->load, slot->node->place, slot->path,
                         "%s without a unit is %s nanoseconds; write %ss for seconds",
                         hf_show(text).text, text, text);
        }
    } else if (!hf_scalar_duration(text, &value, &error)) {
        complain(slot, "%s %s; expected a duration such as 500ms, 10s or 1h30m", error,
                 hf_show(text).text);
        return;
    }
    if (value < 0 && slot->field->min >= 0.0) {
        complain(slot, "a duration must not be negative, got %s", hf_show(text).text);
    } else if (within(slot, (double)value, hf_scalar_show_duration)) {
        *(uint64_t *)slot->at = (uint64_t)value;
    }
}

static void bind_bytes(const struct slot *slot, const char *text)
{
    uint64_t value = 0;
    enum hf_scalar_result result = hf_scalar_bytes(text, &value);

    if (result == HF_SCALAR_BAD) {
        complain(slot, "expected a size such as 1048576, 512MiB or 20GiB, got %s",
                 hf_show(text).text);
    } else if (result == HF_SCALAR_RANGE) {
        complain(slot, "%s is too large for a size", hf_show(text).text);
    } else if (within(slot, (double)value, hf_scalar_show_bytes)) {
        *(uint64_t *)slot->at = value;
    }
}

/* "a, b or c", or as many as fit and "...". */
static void list_choices(const char *const *choices, char *text, size_t size)
{
    static const char more[] = ", ...";
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; choices[i] != NULL; i++) {
        const char *gap = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        const char *word = choices[i][0] == '\0' ? "\"\"" : choices[i];
        if (used + strlen(gap) + strlen(word) + sizeof(more) > size) {
            snprintf(text + used, size - used, "%s", more);
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", gap, word);
    }
}

void hf_bind_no_choice(struct hf_load *load, const struct hf_key_path *path,
                       struct hf_yaml_place place, const char *const *choices, const char *text)
{
    struct hf_suggestion suggestion = {.word = text};
    char expected[256];

    for (size_t i = 0; choices[i] != NULL; i++) {
        hf_suggest(&suggestion, choices[i]);
    }
    list_choices(choices, expected, sizeof(expected));
    if (suggestion.best != NULL) {
        hf_load_error(load, place, path, "expected %s, got %s; did you mean \"%s\"?", expected,
                      hf_show(text).text, suggestion.best);
    } else {
        hf_load_error(load, place, path, "expected %s, got %s", expected, hf_show(text).text);
    }
}

/* Empty text stands for the default: that is what tools write for a key without a value. */
static void take_default_choice(const struct slot *slot)
{
    const char *const *choices = slot->field->choices;
    int64_t at = 0;

    while (strcasecmp(choices[at], slot->field->default_text) != 0) {
        at++;
    }
    *(int64_t *)slot->at = at;
    hf_load_warn(slot->load, slot->node->place, slot->path, "is empty; the default is taken: %s",
                 choices[at]);
}

static void bind_enum(const struct slot *slot, const char *text)
{
    const char *const *choices = slot->field->choices;

    for (size_t i = 0; choices[i] != NULL; i++) {
        if (strcasecmp(choices[i], text) == 0) {
            *(int64_t *)slot->at = (int64_t)i;
            return;
        }
    }
    if (text[0] == '\0' && !slot->field->required && slot->field->default_text != NULL) {
        take_default_choice(slot);
        return;
    }
    hf_bind_no_choice(slot->load, slot->path, slot->node->place, choices, text);
}

bool hf_bind_reference(struct hf_load *load, const struct hf_key_path *path,
                       struct hf_yaml_place place, const struct hf_field *field, const char *id)
{
    struct hf_config_ref *ref = hf_config_alloc(load->memory, sizeof(*ref));
    const char *where = hf_load_path_text(load, path);

    if (ref == NULL || where == NULL) {
        return false;
    }
    *ref = (struct hf_config_ref){.next = load->refs,
                                  .id = id,
                                  .key = field->key,
                                  .text = where,
                                  .place = place,
                                  .owner = load->owner};
    load->refs = ref;
    return true;
}

static void bind_reference(const struct slot *slot, const char *text)
{
    if (text[0] != '\0' &&
        hf_bind_reference(slot->load, slot->path, slot->node->place, slot->field, text)) {
        *(const char **)slot->at = text;
    }
}

static void bind_text(const struct slot *slot, const char *text)
{
    const struct hf_field *field = slot->field;
    const char *expected = field->validate == NULL ? NULL : field->validate(field->key, text);

    if (expected != NULL) {
        bool is_secret = field->type == HF_FIELD_SECRET || field->is_secret;
        char *shown = is_secret ? NULL : hf_redact_urls(text);
        complain(slot, "expected %s%s%s", expected, shown == NULL ? "" : ", got ",
                 shown == NULL ? "" : hf_show(shown).text);
        free(shown);
        return;
    }
    *(const char **)slot->at = text;
}

void hf_bind_scalar(struct hf_load *load, const struct hf_key_path *path,
                    const struct hf_yaml *node, const struct hf_field *field, void *at)
{
    struct slot slot = {load, path, node, field, at};
    bool textual = field->type == HF_FIELD_STRING || field->type == HF_FIELD_SECRET ||
                   field->type == HF_FIELD_REF;
    const char *text = textual                        ? hf_yaml_string(node)
                       : node->kind == HF_YAML_SCALAR ? node->text
                                                      : NULL;

    if (text == NULL) {
        complain(&slot, "expected %s, got %s", textual ? "text" : "one value",
                 hf_yaml_show(node).text);
        return;
    }
    switch (field->type) {
    case HF_FIELD_BOOL:
        bind_bool(&slot, text);
        break;
    case HF_FIELD_INT:
        bind_int(&slot, text);
        break;
    case HF_FIELD_DOUBLE:
        bind_double(&slot, text);
        break;
    case HF_FIELD_DURATION:
        bind_duration(&slot, text);
        break;
    case HF_FIELD_BYTES:
        bind_bytes(&slot, text);
        break;
    case HF_FIELD_ENUM:
        bind_enum(&slot, text);
        break;
    case HF_FIELD_REF:
        bind_reference(&slot, text);
        break;
    default:
        bind_text(&slot, text);
        break;
    }
}
