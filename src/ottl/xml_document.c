#include "xml_document.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 1000000u /* of one XPath */
#define WRAPPER "holdfast"

static void ignore(void *user, const xmlError *error)
{
    (void)user;
    (void)error;
}

/* ---- what stands before the elements ---- */

static struct hf_slice skip_blanks(struct hf_slice text)
{
    while (text.size > 0 && isspace(text.data[0])) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    return text;
}

static bool begins_with(struct hf_slice text, const char *word)
{
    return text.size >= strlen(word) && memcmp(text.data, word, strlen(word)) == 0;
}

/* The part up to `end`, and what is behind. False: it does not end. */
static bool cut_behind(struct hf_slice *text, const char *end, struct hf_slice *ret_part)
{
    const uint8_t *found = memmem(text->data, text->size, end, strlen(end));
    if (found == NULL) {
        return false;
    }
    size_t size = (size_t)(found - text->data) + strlen(end);
    *ret_part = hf_slice_of(text->data, size);
    *text = hf_slice_of(text->data + size, text->size - size);
    return true;
}

/* Takes the declarations off the front. False: not well-formed, or a DTD inside. */
static bool take_front(struct hf_xml_document *document, struct hf_slice *text)
{
    if (begins_with(*text, "<?xml") && text->size > 5 && isspace(text->data[5])) {
        if (!cut_behind(text, "?>", &document->declaration)) {
            return false;
        }
    } else {
        *text = skip_blanks(*text);
    }
    struct hf_slice rest = skip_blanks(*text);
    if (begins_with(rest, "<!DOCTYPE")) {
        if (!cut_behind(&rest, ">", &document->doctype) ||
            memchr(document->doctype.data, '[', document->doctype.size) != NULL) {
            return false;
        }
        *text = rest;
    }
    return true;
}

/* ---- the tree ---- */

/* Elements of a default namespace are found by their name alone, as in the Go collector. False:
 * a reference to an entity, or too deep. */
static bool settle(xmlNode *node, unsigned depth)
{
    if (depth > HF_XML_DEPTH_MAX) {
        return false;
    }
    for (; node != NULL; node = node->next) {
        if (node->type == XML_ENTITY_REF_NODE) {
            return false;
        }
        if (node->type != XML_ELEMENT_NODE) {
            continue;
        }
        if (node->ns != NULL && node->ns->prefix == NULL) {
            node->ns = NULL;
        }
        for (xmlAttr *attribute = node->properties; attribute != NULL;
             attribute = attribute->next) {
            if (!settle(attribute->children, depth + 1)) {
                return false;
            }
        }
        if (!settle(node->children, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* The children of the wrapper become those of the document. */
static void unwrap(xmlDoc *doc)
{
    xmlNode *wrapper = doc->children;
    doc->children = wrapper->children;
    doc->last = wrapper->last;
    for (xmlNode *node = doc->children; node != NULL; node = node->next) {
        node->parent = (xmlNode *)doc;
    }
    wrapper->children = wrapper->last = NULL;
    wrapper->parent = wrapper->next = wrapper->prev = NULL;
}

static enum hf_status parse(struct hf_xml_document *document, struct hf_slice wrapped)
{
    static const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmlParserCtxt *context = document->library->NewParserCtxt();
    if (context == NULL) {
        return HF_NOMEM;
    }
    document->doc = document->library->CtxtReadMemory(context, (const char *)wrapped.data,
                                                      (int)wrapped.size, NULL, "UTF-8", options);
    bool is_good = context->wellFormed && context->nsWellFormed && document->doc != NULL;
    enum hf_status status = is_good                               ? HF_OK
                            : context->errNo == XML_ERR_NO_MEMORY ? HF_NOMEM
                                                                  : HF_INVALID;
    document->library->FreeParserCtxt(context);
    if (!is_good) {
        return status;
    }
    xmlNode *wrapper = document->doc->children;
    bool is_whole = wrapper != NULL && wrapper->next == NULL && wrapper->type == XML_ELEMENT_NODE;
    if (!is_whole) {
        return HF_INVALID;
    }
    unwrap(document->doc);
    document->library->FreeNode(wrapper);
    return settle(document->doc->children, 0) ? HF_OK : HF_INVALID;
}

static bool has_element(const xmlDoc *doc)
{
    const xmlNode *node = doc->children;
    while (node != NULL && node->type != XML_ELEMENT_NODE) {
        node = node->next;
    }
    return node != NULL;
}

enum hf_status hf_xml_open(struct hf_xml_document *document, const struct hf_xml_library *library,
                           struct hf_slice text)
{
    struct hf_bytes wrapped = {0};
    *document = (struct hf_xml_document){.library = library};
    if (text.size == 0) {
        document->doc = library->NewDoc((const xmlChar *)"1.0");
        return document->doc != NULL ? HF_OK : HF_NOMEM;
    }
    if (text.size > INT_MAX / 2 || !take_front(document, &text)) {
        return HF_INVALID;
    }
    enum hf_status status = hf_bytes_append(&wrapped, hf_slice_text("<" WRAPPER ">"));
    status = status == HF_OK ? hf_bytes_append(&wrapped, text) : status;
    status = status == HF_OK ? hf_bytes_append(&wrapped, hf_slice_text("</" WRAPPER ">")) : status;
    if (status == HF_OK) {
        status = parse(document, hf_slice_of(wrapped.data, wrapped.size));
    }
    hf_bytes_release(&wrapped);
    return status == HF_OK && !has_element(document->doc) ? HF_INVALID : status;
}

void hf_xml_close(struct hf_xml_document *document)
{
    if (document->doc != NULL) {
        document->library->FreeDoc(document->doc);
        document->doc = NULL;
    }
}

/* ---- XPath ---- */

static xmlXPathContext *new_context(const struct hf_xml_library *library, xmlDoc *doc)
{
    xmlXPathContext *context = library->XPathNewContext(doc);
    if (context != NULL) {
        /* Newer versions of the library declare the error constant. */
        context->error = (xmlStructuredErrorFunc)(void (*)(void))ignore;
        context->opLimit = STEPS_MAX;
    }
    return context;
}

enum hf_status hf_xml_check_path(const struct hf_xml_library *library, const char *path)
{
    xmlXPathContext *context = new_context(library, NULL);
    if (context == NULL) {
        return HF_NOMEM;
    }
    xmlXPathCompExpr *compiled = library->XPathCtxtCompile(context, (const xmlChar *)path);
    library->XPathFreeContext(context);
    if (compiled == NULL) {
        return HF_INVALID;
    }
    library->XPathFreeCompExpr(compiled);
    return HF_OK;
}

/* Prefixes mean in a path what they mean in the document. */
static void register_prefixes(const struct hf_xml_document *document, xmlXPathContext *context,
                              const xmlNode *node)
{
    for (; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE) {
            continue;
        }
        for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
            if (ns->prefix != NULL) {
                (void)document->library->XPathRegisterNs(context, ns->prefix, ns->href);
            }
        }
        register_prefixes(document, context, node->children);
    }
}

enum hf_status hf_xml_select(const struct hf_xml_document *document, const char *path,
                             xmlXPathObject **ret_found)
{
    const struct hf_xml_library *library = document->library;
    xmlXPathContext *context = new_context(library, document->doc);
    if (context == NULL) {
        return HF_NOMEM;
    }
    register_prefixes(document, context, document->doc->children);
    context->node = (xmlNode *)document->doc;
    xmlXPathCompExpr *compiled = library->XPathCtxtCompile(context, (const xmlChar *)path);
    xmlXPathObject *found = compiled != NULL ? library->XPathCompiledEval(compiled, context) : NULL;
    if (compiled != NULL) {
        library->XPathFreeCompExpr(compiled);
    }
    library->XPathFreeContext(context);
    *ret_found = found;
    if (found == NULL) {
        return HF_INVALID;
    }
    if (found->type != XPATH_NODESET) {
        library->XPathFreeObject(found);
        *ret_found = NULL;
    } else if (found->nodesetval != NULL) {
        library->XPathNodeSetSort(found->nodesetval);
    }
    return HF_OK;
}

char *hf_xml_attribute_text(const struct hf_xml_document *document, const xmlNode *attribute)
{
    const xmlAttr *attr = (const xmlAttr *)attribute;
    xmlChar *text = document->library->NodeListGetString(document->doc, attr->children, 1);
    return (char *)text;
}

/* ---- writing ---- */

struct writing {
    const struct hf_xml_document *document;
    struct hf_bytes *out;
    bool failed;
};

static void put(struct writing *writing, struct hf_slice text)
{
    writing->failed |= hf_bytes_append(writing->out, text) != HF_OK;
}

static void put_name(struct writing *writing, const xmlNs *ns, const xmlChar *name)
{
    if (ns != NULL && ns->prefix != NULL) {
        put(writing, hf_slice_text((const char *)ns->prefix));
        put(writing, hf_slice_text(":"));
    }
    put(writing, hf_slice_text((const char *)name));
}

enum hf_status hf_xml_write_text(struct hf_slice text, struct hf_bytes *out)
{
    static const char special[] = "<>&'\"";
    static const char *const references[] = {"&lt;", "&gt;", "&amp;", "&#39;", "&#34;"};
    size_t start = 0;
    for (size_t at = 0; at < text.size; at++) {
        const char *found = text.data[at] != 0 ? strchr(special, text.data[at]) : NULL;
        if (found == NULL) {
            continue;
        }
        if (hf_bytes_append(out, hf_slice_of(text.data + start, at - start)) != HF_OK ||
            hf_bytes_append(out, hf_slice_text(references[found - special])) != HF_OK) {
            return HF_NOMEM;
        }
        start = at + 1;
    }
    return hf_bytes_append(out, hf_slice_of(text.data + start, text.size - start));
}

static void put_escaped(struct writing *writing, const char *text)
{
    writing->failed |= hf_xml_write_text(text != NULL ? hf_slice_text(text) : HF_EMPTY_SLICE,
                                         writing->out) != HF_OK;
}

static void put_attributes(struct writing *writing, const xmlNode *node)
{
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        put(writing, hf_slice_text(ns->prefix != NULL ? " xmlns:" : " xmlns"));
        put(writing, hf_slice_text(ns->prefix != NULL ? (const char *)ns->prefix : ""));
        put(writing, hf_slice_text("=\""));
        put_escaped(writing, (const char *)ns->href);
        put(writing, hf_slice_text("\""));
    }
    for (const xmlAttr *attribute = node->properties; attribute != NULL;
         attribute = attribute->next) {
        char *text = hf_xml_attribute_text(writing->document, (const xmlNode *)attribute);
        put(writing, hf_slice_text(" "));
        put_name(writing, attribute->ns, attribute->name);
        put(writing, hf_slice_text("=\""));
        put_escaped(writing, text);
        put(writing, hf_slice_text("\""));
        free(text);
    }
}

static void put_around(struct writing *writing, const char *before, const xmlChar *content,
                       const char *after)
{
    put(writing, hf_slice_text(before));
    put(writing, hf_slice_text(content != NULL ? (const char *)content : ""));
    put(writing, hf_slice_text(after));
}

/* Trees have at most HF_XML_DEPTH_MAX levels, and what is inserted as many again. */
static void put_node(struct writing *writing, const xmlNode *node)
{
    switch (node->type) {
    case XML_TEXT_NODE:
        put_escaped(writing, (const char *)node->content);
        return;
    case XML_CDATA_SECTION_NODE:
        put_around(writing, "<![CDATA[", node->content, "]]>");
        return;
    case XML_COMMENT_NODE:
        put_around(writing, "<!--", node->content, "-->");
        return;
    case XML_PI_NODE:
        put_around(writing, "<?", node->name, node->content != NULL ? " " : "");
        put_around(writing, "", node->content, "?>");
        return;
    case XML_ELEMENT_NODE:
        break;
    default:
        return;
    }
    put(writing, hf_slice_text("<"));
    put_name(writing, node->ns, node->name);
    put_attributes(writing, node);
    put(writing, hf_slice_text(">"));
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        put_node(writing, child);
    }
    put(writing, hf_slice_text("</"));
    put_name(writing, node->ns, node->name);
    put(writing, hf_slice_text(">"));
}

enum hf_status hf_xml_write_node(const struct hf_xml_document *document, const xmlNode *node,
                                 struct hf_bytes *out)
{
    struct writing writing = {.document = document, .out = out};
    put_node(&writing, node);
    return writing.failed ? HF_NOMEM : HF_OK;
}

/* <?xml version='1.0'?> with double quotation marks. */
static void put_declaration(struct writing *writing)
{
    struct hf_slice text = writing->document->declaration;
    put(writing, hf_slice_text("<?xml"));
    for (size_t at = 5; at + 2 < text.size;) {
        size_t start = at;
        while (at + 2 < text.size && !isspace(text.data[at])) {
            at++;
        }
        struct hf_slice pair = hf_slice_of(text.data + start, at - start);
        const uint8_t *sign = memchr(pair.data, '=', pair.size);
        if (sign != NULL && sign > pair.data) {
            struct hf_slice value =
                hf_slice_of(sign + 1, pair.size - (size_t)(sign - pair.data) - 1);
            while (value.size > 0 && strchr("\"'", value.data[0]) != NULL) {
                value = hf_slice_of(value.data + 1, value.size - 1);
            }
            while (value.size > 0 && strchr("\"'", value.data[value.size - 1]) != NULL) {
                value.size--;
            }
            put(writing, hf_slice_text(" "));
            put(writing, hf_slice_of(pair.data, (size_t)(sign - pair.data)));
            put(writing, hf_slice_text("=\""));
            writing->failed |= hf_xml_write_text(value, writing->out) != HF_OK;
            put(writing, hf_slice_text("\""));
        }
        at++;
    }
    put(writing, hf_slice_text("?>"));
}

enum hf_status hf_xml_write(const struct hf_xml_document *document, struct hf_bytes *out)
{
    struct writing writing = {.document = document, .out = out};
    if (document->declaration.size > 0) {
        put_declaration(&writing);
        put(&writing, document->doctype);
    }
    for (const xmlNode *node = document->doc->children; node != NULL; node = node->next) {
        put_node(&writing, node);
    }
    return writing.failed ? HF_NOMEM : HF_OK;
}
