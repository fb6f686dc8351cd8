/* Converters that make maps of XML. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"
#include "xml_document.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

static bool put(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice key,
                const struct hf_ottl_value *value)
{
    struct hf_slice encoded;
    return hf_ottl_encode(run, value, &encoded) && hf_ottl_pairs_put(run, pairs, key, encoded);
}

static bool put_text(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, const char *key,
                     struct hf_slice text)
{
    struct hf_ottl_value value = hf_ottl_string(hf_ottl_keep(run, text));
    return !run->no_memory && put(run, pairs, hf_slice_text(key), &value);
}

/* The name of a node, which goes with the document. */
static struct hf_slice name_of(struct hf_ottl_run *run, const xmlChar *name)
{
    return hf_ottl_keep(run, hf_slice_text((const char *)name));
}

static struct hf_slice content_of(const xmlNode *node)
{
    return node->content != NULL ? hf_slice_text((const char *)node->content) : HF_EMPTY_SLICE;
}

static bool is_text(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

/* ---- ParseXML: every element as a map ---- */

static bool put_attributes(struct hf_ottl_run *run, const struct hf_xml_document *document,
                           const xmlNode *node, struct hf_ottl_pairs *pairs)
{
    struct hf_ottl_pairs attributes;
    struct hf_ottl_value map, text;
    if (node->properties == NULL && node->nsDef == NULL) {
        return true;
    }
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &attributes)) {
        return false;
    }
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        const char *name = ns->prefix != NULL ? (const char *)ns->prefix : "xmlns";
        text = hf_ottl_string(name_of(run, ns->href));
        if (!put(run, &attributes, hf_ottl_keep(run, hf_slice_text(name)), &text)) {
            return false;
        }
    }
    for (const xmlAttr *attribute = node->properties; attribute != NULL;
         attribute = attribute->next) {
        char *content = hf_xml_attribute_text(document, (const xmlNode *)attribute);
        text = hf_ottl_string(hf_ottl_keep(run, hf_slice_text(content != NULL ? content : "")));
        free(content);
        if (!put(run, &attributes, name_of(run, attribute->name), &text)) {
            return false;
        }
    }
    return hf_ottl_map_of_pairs(run, &attributes, &map) &&
           put(run, pairs, hf_slice_text("attributes"), &map);
}

/* All texts of an element without the blanks around them. */
static bool put_content(struct hf_ottl_run *run, const xmlNode *node, struct hf_ottl_pairs *pairs)
{
    hf_ottl_start_text(run);
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        struct hf_slice text = is_text(child) ? content_of(child) : HF_EMPTY_SLICE;
        while (text.size > 0 && isspace(text.data[0])) {
            text = hf_slice_of(text.data + 1, text.size - 1);
        }
        while (text.size > 0 && isspace(text.data[text.size - 1])) {
            text.size--;
        }
        hf_ottl_add_text(run, text);
    }
    struct hf_ottl_value value;
    return run->text.size == 0 ||
           (hf_ottl_end_text(run, &value) && put(run, pairs, hf_slice_text("content"), &value));
}

static bool element_to_map(struct hf_ottl_run *run, const struct hf_xml_document *document,
                           const xmlNode *node, struct hf_ottl_value *ret_map);

static bool put_children(struct hf_ottl_run *run, const struct hf_xml_document *document,
                         const xmlNode *node, struct hf_ottl_pairs *pairs)
{
    size_t count = 0, at = 0;
    struct hf_ottl_value map, list;
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        count += child->type == XML_ELEMENT_NODE;
    }
    struct hf_slice *values = hf_ottl_take(run, (count + 1) * sizeof(*values));
    if (values == NULL) {
        return false;
    }
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && (!element_to_map(run, document, child, &map) ||
                                                !hf_ottl_encode(run, &map, &values[at++]))) {
            return false;
        }
    }
    return count == 0 || (hf_ottl_list_of(run, values, count, &list) &&
                          put(run, pairs, hf_slice_text("children"), &list));
}

static bool element_to_map(struct hf_ottl_run *run, const struct hf_xml_document *document,
                           const xmlNode *node, struct hf_ottl_value *ret_map)
{
    struct hf_ottl_pairs pairs;
    return hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 4, &pairs) &&
           put_text(run, &pairs, "tag", hf_slice_text((const char *)node->name)) &&
           put_content(run, node, &pairs) && put_attributes(run, document, node, &pairs) &&
           put_children(run, document, node, &pairs) && hf_ottl_map_of_pairs(run, &pairs, ret_map);
}

static bool open_document(struct hf_ottl_run *run, struct hf_slice text,
                          struct hf_xml_document *document)
{
    char reterr[HF_ERROR_MAX] = "";
    *document = (struct hf_xml_document){0};
    const struct hf_xml_library *library = hf_xml_library(reterr);
    if (library == NULL) {
        return hf_ottl_fail(run, "%s", reterr);
    }
    enum hf_status status = text.size > 0 ? hf_xml_open(document, library, text) : HF_INVALID;
    if (status == HF_OK) {
        return true;
    }
    hf_xml_close(document);
    return status == HF_NOMEM ? hf_ottl_no_memory(run)
                              : hf_ottl_fail(run, "unmarshal xml: the text is no well-formed XML, "
                                                  "is nested too deeply, or declares entities");
}

CONVERTER(parse_xml)
{
    struct hf_xml_document document;
    bool ok = false;
    (void)call;
    if (!open_document(run, arguments[0].bytes, &document)) {
        return false;
    }
    const xmlNode *root = document.doc->children;
    while (root->type != XML_ELEMENT_NODE) {
        root = root->next;
    }
    if (root->next != NULL) {
        hf_ottl_fail(run, "trailing bytes after parsing xml");
    } else {
        ok = element_to_map(run, &document, root, ret_value);
    }
    hf_xml_close(&document);
    return ok;
}

/* ---- ParseSimplifiedXML: elements by their names ---- */

static size_t count_named(const xmlNode *parent, const xmlChar *name)
{
    size_t count = 0;
    for (const xmlNode *child = parent->children; child != NULL; child = child->next) {
        count += child->type == XML_ELEMENT_NODE &&
                 strcmp((const char *)child->name, (const char *)name) == 0;
    }
    return count;
}

/* The first text of an element without elements inside. */
static struct hf_slice leaf_text(const xmlNode *node)
{
    struct hf_slice text = HF_EMPTY_SLICE;
    bool is_found = false;
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            return HF_EMPTY_SLICE;
        }
        if (!is_found && is_text(child)) {
            text = content_of(child);
            is_found = true;
        }
    }
    return text;
}

static bool simplify(struct hf_ottl_run *run, const xmlNode *parent, struct hf_ottl_pairs *pairs);

/* The value of one element; NIL: there is nothing in it. */
static bool simple_value(struct hf_ottl_run *run, const xmlNode *node,
                         struct hf_ottl_value *ret_value)
{
    struct hf_slice text = leaf_text(node);
    struct hf_ottl_pairs pairs;
    *ret_value = hf_ottl_nil();
    if (text.size > 0) {
        *ret_value = hf_ottl_string(hf_ottl_keep(run, text));
        return !run->no_memory;
    }
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 4, &pairs) || !simplify(run, node, &pairs)) {
        return false;
    }
    return pairs.count == 0 || hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

/* All elements of that name as a list. */
static bool put_list(struct hf_ottl_run *run, const xmlNode *parent, const xmlChar *name,
                     size_t count, struct hf_ottl_pairs *pairs)
{
    struct hf_slice *values = hf_ottl_take(run, (count + 1) * sizeof(*values));
    struct hf_ottl_value value, list;
    size_t at = 0;
    bool is_there = false;
    if (values == NULL) {
        return false;
    }
    for (const xmlNode *child = parent->children; child != NULL; child = child->next) {
        if (child->type != XML_ELEMENT_NODE || child->children == NULL ||
            strcmp((const char *)child->name, (const char *)name) != 0) {
            continue;
        }
        is_there = true;
        if (!simple_value(run, child, &value) ||
            (value.type != HF_OTTL_NIL && !hf_ottl_encode(run, &value, &values[at++]))) {
            return false;
        }
    }
    return !is_there ||
           (hf_ottl_list_of(run, values, at, &list) && put(run, pairs, name_of(run, name), &list));
}

static bool is_first_named(const xmlNode *node)
{
    for (const xmlNode *before = node->prev; before != NULL; before = before->prev) {
        if (before->type == XML_ELEMENT_NODE &&
            strcmp((const char *)before->name, (const char *)node->name) == 0) {
            return false;
        }
    }
    return true;
}

#define CHILDREN_MAX 10000u /* comparing names takes the square of it */

static bool simplify(struct hf_ottl_run *run, const xmlNode *parent, struct hf_ottl_pairs *pairs)
{
    size_t elements = 0;
    for (const xmlNode *child = parent->children; child != NULL; child = child->next) {
        struct hf_ottl_value value;
        if (child->type != XML_ELEMENT_NODE || !is_first_named(child)) {
            continue;
        }
        if (++elements > CHILDREN_MAX) {
            return hf_ottl_fail(run, "more than %u elements in one", CHILDREN_MAX);
        }
        size_t count = count_named(parent, child->name);
        if (count > 1) {
            if (!put_list(run, parent, child->name, count, pairs)) {
                return false;
            }
            continue;
        }
        if (!simple_value(run, child, &value) ||
            (value.type != HF_OTTL_NIL && !put(run, pairs, name_of(run, child->name), &value))) {
            return false;
        }
    }
    return true;
}

CONVERTER(parse_simplified_xml)
{
    struct hf_xml_document document;
    struct hf_ottl_pairs pairs;
    (void)call;
    if (!open_document(run, arguments[0].bytes, &document)) {
        return false;
    }
    bool ok = hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 4, &pairs) &&
              simplify(run, (const xmlNode *)document.doc, &pairs) &&
              hf_ottl_map_of_pairs(run, &pairs, ret_value);
    hf_xml_close(&document);
    return ok;
}

static enum hf_status check_library(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                    size_t at)
{
    char reterr[HF_ERROR_MAX] = "";
    (void)call;
    return hf_xml_library(reterr) != NULL ? HF_OK : hf_ottl_refuse(fault, at, "%s", reterr);
}

const struct hf_ottl_function hf_ottl_xml_maps[] = {
    {.name = "ParseXML",
     .arguments = {{"target", HF_ARG_STRING}},
     .run = parse_xml,
     .check = check_library},
    {.name = "ParseSimplifiedXML",
     .arguments = {{"target", HF_ARG_STRING}},
     .run = parse_simplified_xml,
     .check = check_library},
    {.name = NULL},
};
