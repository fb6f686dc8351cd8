/* Converters of XML. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"
#include "xml_document.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

/* ---- documents and nodes ---- */

static bool open_document(struct hf_ottl_run *run, struct hf_slice text,
                          struct hf_xml_document *document)
{
    char reterr[HF_ERROR_MAX] = "";
    *document = (struct hf_xml_document){0};
    const struct hf_xml_library *library = hf_xml_library(reterr);
    if (library == NULL) {
        return hf_ottl_fail(run, "%s", reterr);
    }
    enum hf_status status = hf_xml_open(document, library, text);
    if (status == HF_OK) {
        return true;
    }
    hf_xml_close(document);
    return status == HF_NOMEM ? hf_ottl_no_memory(run)
                              : hf_ottl_fail(run, "parse xml: the text is no well-formed XML, is "
                                                  "nested too deeply, or declares entities");
}

/* What the XPath argument selects. */
static bool select_nodes(struct hf_ottl_run *run, const struct hf_xml_document *document,
                         const struct hf_ottl_call *call, const char *preset,
                         xmlXPathObject **ret_found)
{
    struct hf_slice path = hf_ottl_literal_text(call, 1, preset);
    char *text = hf_ottl_take(run, path.size + 1);
    if (text == NULL) {
        return false;
    }
    memcpy(text, path.data, path.size);
    text[path.size] = '\0';
    enum hf_status status = hf_xml_select(document, path.size > 0 ? text : preset, ret_found);
    return status == HF_OK ||
           (status == HF_NOMEM
                ? hf_ottl_no_memory(run)
                : hf_ottl_fail(run, "the XPath cannot be evaluated, or takes too many steps"));
}

static size_t count_of(const xmlXPathObject *found)
{
    return found != NULL && found->nodesetval != NULL ? (size_t)found->nodesetval->nodeNr : 0;
}

static bool end_text(struct hf_ottl_run *run, enum hf_status status,
                     struct hf_ottl_value *ret_value)
{
    return status == HF_OK ? hf_ottl_end_text(run, ret_value) : hf_ottl_no_memory(run);
}

static bool write_document(struct hf_ottl_run *run, const struct hf_xml_document *document,
                           struct hf_ottl_value *ret_value)
{
    hf_ottl_start_text(run);
    return end_text(run, hf_xml_write(document, &run->text), ret_value);
}

/* ---- texts from texts ---- */

/* A node that a change may free is not the list's any more. */
static xmlNode *take_node(const xmlXPathObject *found, size_t index)
{
    xmlNode *node = found->nodesetval->nodeTab[index];
    if (node->type != XML_NAMESPACE_DECL) {
        found->nodesetval->nodeTab[index] = NULL;
    }
    return node;
}

/* Changes a document by what the path selects. */
typedef bool change(struct hf_ottl_run *run, struct hf_xml_document *document, xmlNode *node,
                    const struct hf_ottl_call *call, const struct hf_ottl_value *arguments);

static bool change_document(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                            const struct hf_ottl_value *arguments, const char *preset,
                            change *change_node, struct hf_ottl_value *ret_value)
{
    struct hf_xml_document document;
    xmlXPathObject *found = NULL;
    if (!open_document(run, arguments[0].bytes, &document)) {
        return false;
    }
    bool ok = select_nodes(run, &document, call, preset, &found);
    for (size_t i = 0; ok && i < count_of(found); i++) {
        ok = change_node(run, &document, take_node(found, i), call, arguments);
    }
    if (found != NULL) {
        document.library->XPathFreeObject(found);
    }
    ok = ok && write_document(run, &document, ret_value);
    hf_xml_close(&document);
    return ok;
}

static enum hf_status write_selected(const struct hf_xml_document *document, const xmlNode *node,
                                     struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    char *text = NULL;
    switch (node->type) {
    case XML_ELEMENT_NODE:
        return hf_xml_write_node(document, node, out);
    case XML_TEXT_NODE:
    case XML_CDATA_SECTION_NODE:
        return hf_xml_write_text(node->content != NULL ? hf_slice_text((const char *)node->content)
                                                       : HF_EMPTY_SLICE,
                                 out);
    case XML_ATTRIBUTE_NODE:
        text = hf_xml_attribute_text(document, node);
        status = text != NULL ? hf_xml_write_text(hf_slice_text(text), out) : HF_OK;
        free(text);
        return status;
    default:
        return HF_OK;
    }
}

CONVERTER(get_xml)
{
    struct hf_xml_document document;
    xmlXPathObject *found = NULL;
    enum hf_status status = HF_OK;
    if (arguments[0].bytes.size == 0) {
        *ret_value = hf_ottl_string(HF_EMPTY_SLICE);
        return true;
    }
    if (!open_document(run, arguments[0].bytes, &document)) {
        return false;
    }
    bool ok = select_nodes(run, &document, call, "/", &found);
    hf_ottl_start_text(run);
    for (size_t i = 0; ok && status == HF_OK && i < count_of(found); i++) {
        status = write_selected(&document, found->nodesetval->nodeTab[i], &run->text);
    }
    if (found != NULL) {
        document.library->XPathFreeObject(found);
    }
    hf_xml_close(&document);
    return ok && end_text(run, status, ret_value);
}

static bool insert_into(struct hf_ottl_run *run, struct hf_xml_document *document, xmlNode *node,
                        const struct hf_ottl_call *call, const struct hf_ottl_value *arguments)
{
    struct hf_xml_document inserted;
    bool ok = true;
    (void)call;
    if (node->type != XML_ELEMENT_NODE && node->type != XML_DOCUMENT_NODE) {
        return hf_ottl_fail(run, "InsertXML XPath selected a node that is no element");
    }
    if (!open_document(run, arguments[2].bytes, &inserted)) {
        return false;
    }
    for (xmlNode *child = inserted.doc->children; ok && child != NULL; child = child->next) {
        xmlNode *copy = document->library->DocCopyNode(child, document->doc, 1);
        if (copy == NULL || document->library->AddChild(node, copy) == NULL) {
            ok = hf_ottl_no_memory(run);
        }
    }
    hf_xml_close(&inserted);
    return ok;
}

CONVERTER(insert_xml)
{
    struct hf_xml_document inserted;
    /* A text that cannot be inserted is an error also where nothing is selected. */
    if (!open_document(run, arguments[2].bytes, &inserted)) {
        return false;
    }
    hf_xml_close(&inserted);
    if (arguments[2].bytes.size == 0) {
        return hf_ottl_fail(run, "parse xml: the text to be inserted is empty");
    }
    return change_document(run, call, arguments, "/", insert_into, ret_value);
}

static void drop_attribute(const struct hf_xml_document *document, xmlNode *node)
{
    document->library->UnlinkNode(node);
    document->library->FreeProp((xmlAttr *)node);
}

static void remove_node(const struct hf_xml_document *document, xmlNode *node)
{
    switch (node->type) {
    case XML_ELEMENT_NODE:
    case XML_COMMENT_NODE:
    case XML_CDATA_SECTION_NODE:
        document->library->UnlinkNode(node);
        document->library->FreeNode(node);
        return;
    case XML_TEXT_NODE:
        document->library->NodeSetContent(node, (const xmlChar *)"");
        return;
    case XML_ATTRIBUTE_NODE:
        drop_attribute(document, node);
        return;
    default:
        return;
    }
}

/* Backwards, so that what is inside goes before what is around it. */
CONVERTER(remove_xml)
{
    struct hf_xml_document document;
    xmlXPathObject *found = NULL;
    if (arguments[0].bytes.size == 0) {
        *ret_value = hf_ottl_string(HF_EMPTY_SLICE);
        return true;
    }
    if (!open_document(run, arguments[0].bytes, &document)) {
        return false;
    }
    bool ok = select_nodes(run, &document, call, "/", &found);
    for (size_t i = ok ? count_of(found) : 0; i-- > 0;) {
        remove_node(&document, take_node(found, i));
    }
    if (found != NULL) {
        document.library->XPathFreeObject(found);
    }
    ok = ok && write_document(run, &document, ret_value);
    hf_xml_close(&document);
    return ok;
}

static bool attribute_to_element(struct hf_ottl_run *run, struct hf_xml_document *document,
                                 xmlNode *node, const struct hf_ottl_call *call,
                                 const struct hf_ottl_value *arguments)
{
    const struct hf_xml_library *library = document->library;
    (void)call;
    (void)arguments;
    if (node->type != XML_ATTRIBUTE_NODE) {
        return true;
    }
    char *content = hf_xml_attribute_text(document, node);
    xmlNode *element = library->NewDocNode(document->doc, NULL, node->name, NULL);
    xmlNode *text =
        library->NewDocText(document->doc, (const xmlChar *)(content != NULL ? content : ""));
    free(content);
    if (element == NULL || text == NULL || library->AddChild(element, text) == NULL ||
        library->AddChild(node->parent, element) == NULL) {
        return hf_ottl_no_memory(run);
    }
    drop_attribute(document, node);
    return true;
}

CONVERTER(attributes_to_elements)
{
    return arguments[0].bytes.size == 0
               ? hf_ottl_fail(run, "parse xml: the text is empty")
               : change_document(run, call, arguments, "//@*", attribute_to_element, ret_value);
}

/* The texts of a node that has elements or other texts beside them become elements. */
static bool wrap_texts(struct hf_ottl_run *run, struct hf_xml_document *document, xmlNode *parent,
                       const xmlChar *name)
{
    const struct hf_xml_library *library = document->library;
    size_t texts = 0, elements = 0;
    for (xmlNode *child = parent->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            if (!wrap_texts(run, document, child, name)) {
                return false;
            }
            elements++;
        }
        texts += child->type == XML_TEXT_NODE;
    }
    if (texts == 0 || elements + texts <= 1) {
        return true;
    }
    for (xmlNode *child = parent->children, *next; child != NULL; child = next) {
        next = child->next;
        if (child->type != XML_TEXT_NODE) {
            continue;
        }
        xmlNode *element = library->NewDocNode(document->doc, NULL, name, NULL);
        if (element == NULL) {
            return hf_ottl_no_memory(run);
        }
        library->ReplaceNode(child, element);
        if (library->AddChild(element, child) == NULL) {
            return hf_ottl_no_memory(run);
        }
    }
    return true;
}

static bool text_to_element(struct hf_ottl_run *run, struct hf_xml_document *document,
                            xmlNode *node, const struct hf_ottl_call *call,
                            const struct hf_ottl_value *arguments)
{
    struct hf_slice name = hf_ottl_literal_text(call, 2, "value");
    char *text = hf_ottl_take(run, name.size + 1);
    (void)arguments;
    if (text == NULL) {
        return false;
    }
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    return (node->type != XML_ELEMENT_NODE && node->type != XML_DOCUMENT_NODE) ||
           wrap_texts(run, document, node, (const xmlChar *)(name.size > 0 ? text : "value"));
}

CONVERTER(texts_to_elements)
{
    return arguments[0].bytes.size == 0
               ? hf_ottl_fail(run, "parse xml: the text is empty")
               : change_document(run, call, arguments, "/", text_to_element, ret_value);
}

/* ---- checks ---- */

static enum hf_status check_library(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                    size_t at)
{
    char reterr[HF_ERROR_MAX] = "";
    (void)call;
    return hf_xml_library(reterr) != NULL ? HF_OK : hf_ottl_refuse(fault, at, "%s", reterr);
}

static enum hf_status check_path(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    char reterr[HF_ERROR_MAX] = "", path[1000];
    enum hf_status status = check_library(call, fault, at);
    struct hf_slice text = hf_ottl_literal_text(call, 1, "");
    if (status != HF_OK ||
        (call->nodes[1] != NULL && text.size == 0 &&
         (call->function->arguments[1].kind & HF_ARG_OPTIONAL) != 0) ||
        call->nodes[1] == NULL) {
        return status;
    }
    if (text.size >= sizeof(path)) {
        return hf_ottl_refuse(fault, call->nodes[1]->at, "the XPath is too long");
    }
    memcpy(path, text.data, text.size);
    path[text.size] = '\0';
    status = hf_xml_check_path(hf_xml_library(reterr), path);
    return status == HF_INVALID ? hf_ottl_refuse(fault, call->nodes[1]->at, "invalid xpath")
                                : status;
}

#define LITERAL_OPTIONAL (HF_ARG_LITERAL | HF_ARG_OPTIONAL)

const struct hf_ottl_function hf_ottl_xml[] = {
    {.name = "GetXML",
     .arguments = {{"target", HF_ARG_STRING}, {"xpath", HF_ARG_STRING | HF_ARG_LITERAL}},
     .run = get_xml,
     .check = check_path},
    {.name = "InsertXML",
     .arguments = {{"target", HF_ARG_STRING},
                   {"xpath", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"sub_document", HF_ARG_STRING}},
     .run = insert_xml,
     .check = check_path},
    {.name = "RemoveXML",
     .arguments = {{"target", HF_ARG_STRING}, {"xpath", HF_ARG_STRING | HF_ARG_LITERAL}},
     .run = remove_xml,
     .check = check_path},
    {.name = "ConvertAttributesToElementsXML",
     .arguments = {{"target", HF_ARG_STRING}, {"xpath", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = attributes_to_elements,
     .check = check_path},
    {.name = "ConvertTextToElementsXML",
     .arguments = {{"target", HF_ARG_STRING},
                   {"xpath", HF_ARG_STRING | LITERAL_OPTIONAL},
                   {"element_name", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = texts_to_elements,
     .check = check_path},
    {.name = NULL},
};
