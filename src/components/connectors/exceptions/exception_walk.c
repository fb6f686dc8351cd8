/*
 * exception_walk: finds the exceptions of a request and what is asked of each.
 */
#include "exceptions.h"
#include "pdata/any.h"

/* Field numbers of OTLP. */
enum { SPAN_KIND = 6, SPAN_STATUS = 15, STATUS_CODE = 3, EVENT_NAME = 2 };

static bool attribute_of(struct hf_message *message, const char *key, struct hf_slice *ret_value)
{
    uint32_t number = message != NULL ? hf_message_attributes_number(hf_message_type(message)) : 0;
    return number != 0 &&
           hf_attribute_of(hf_message_content(message), number, hf_slice_text(key), ret_value);
}

/* Only what a service says counts. */
static bool find_service(struct hf_message *resource, struct hf_slice *ret_service)
{
    struct hf_slice value;
    if (!attribute_of(resource, "service.name", &value)) {
        return false;
    }
    struct hf_any any = hf_any_read(value);
    *ret_service = any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
    return true;
}

/* The next event of this span that is an exception. */
static bool next_of_span(struct hf_place *place, struct exception *exception)
{
    while (hf_place_next_event(place)) {
        if (hf_slice_is(hf_message_bytes(place->event, EVENT_NAME), "exception")) {
            exception->event = place->event;
            return true;
        }
    }
    return false;
}

bool exception_next(struct hf_place *place, struct exception *ret_exception)
{
    struct exception exception;
    while (place->item != NULL || hf_place_next_item(place)) {
        exception = (struct exception){.span = place->item,
                                       .resource = hf_place_resource(place),
                                       .scope = hf_place_scope(place)};
        if (find_service(exception.resource, &exception.service) &&
            next_of_span(place, &exception)) {
            *ret_exception = exception;
            return true;
        }
        place->event = NULL;
        if (!hf_place_next_item(place)) {
            return false;
        }
    }
    return false;
}

const char *exception_kind(const struct exception *exception)
{
    static const char *const kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                        "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                        "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
    uint64_t kind = hf_message_u64(exception->span, SPAN_KIND);
    return kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : "";
}

const char *exception_status(const struct exception *exception)
{
    static const char *const codes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
    struct hf_message *status = hf_message_one(exception->span, SPAN_STATUS);
    uint64_t code = hf_message_u64(status, STATUS_CODE);
    return code < sizeof(codes) / sizeof(codes[0]) ? codes[code] : "";
}

bool exception_value(const struct exception *exception, const struct exception_dimension *dimension,
                     struct hf_slice *ret_value)
{
    if (attribute_of(exception->span, dimension->name, ret_value) ||
        attribute_of(exception->event, dimension->name, ret_value) ||
        attribute_of(exception->resource, dimension->name, ret_value)) {
        return true;
    }
    *ret_value = dimension->preset_value;
    return dimension->preset != NULL;
}
