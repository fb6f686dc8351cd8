/*
 * xml_document: a text of XML as a tree, what an XPath selects in it, and the tree as a text again,
 * in the form in which the Go collector writes it: no shortened empty elements, and blanks,
 * comments and CDATA sections as they came. A text may have several elements at its top, which are
 * then the children of the document. Declarations of a DTD and entities other than the five of XML
 * are refused. Owned by one thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"
#include "xml_library.h"

#define HF_XML_DEPTH_MAX 250u

struct hf_xml_document {
    const struct hf_xml_library *library;
    xmlDoc *doc;                 /* its children: elements, texts, comments, instructions */
    struct hf_slice declaration; /* of the text: <?xml ... ?>; or empty */
    struct hf_slice doctype;
};

/* An empty text is an empty document. HF_INVALID: not well-formed; HF_NOMEM. The text is borrowed.
 * Close in any case. */
HF_MUST_USE enum hf_status hf_xml_open(struct hf_xml_document *document,
                                       const struct hf_xml_library *library, struct hf_slice text);
void hf_xml_close(struct hf_xml_document *document);

/* Is it an XPath? `path` is terminated. HF_INVALID, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_xml_check_path(const struct hf_xml_library *library,
                                             const char *path);

/* The nodes that the path selects, in the order of the document; NULL when it yields another value.
 * Give back with library->XPathFreeObject(). HF_INVALID: it cannot be evaluated, or takes too many
 * steps. */
HF_MUST_USE enum hf_status hf_xml_select(const struct hf_xml_document *document, const char *path,
                                         xmlXPathObject **ret_found);

/* The content of an attribute; NULL: none, or no memory. Give back with free(). */
char *hf_xml_attribute_text(const struct hf_xml_document *document, const xmlNode *attribute);

/* Appends the text of one node, or of all of the document. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_xml_write_node(const struct hf_xml_document *document,
                                             const xmlNode *node, struct hf_bytes *out);
HF_MUST_USE enum hf_status hf_xml_write(const struct hf_xml_document *document,
                                        struct hf_bytes *out);
/* Appends with <, >, &, ' and " as references. */
HF_MUST_USE enum hf_status hf_xml_write_text(struct hf_slice text, struct hf_bytes *out);
