/*
 * xml_library: libxml2, loaded when the first text that needs it is compiled, so that a process
 * without one has neither the library nor what it depends on in memory. See
 * docs/decisions/libxml2.md.
 *
 * The functions are members under their names without "xml". Immutable once loaded; any thread.
 */
#pragma once

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

/* Every function that is used. */
#define HF_XML_FUNCTIONS(X)                                                                        \
    X(AddChild)                                                                                    \
    X(CtxtReadMemory)                                                                              \
    X(DocCopyNode)                                                                                 \
    X(FreeDoc)                                                                                     \
    X(FreeNode)                                                                                    \
    X(FreeParserCtxt)                                                                              \
    X(FreeProp)                                                                                    \
    X(InitParser)                                                                                  \
    X(NewDoc)                                                                                      \
    X(NewDocNode)                                                                                  \
    X(NewDocText)                                                                                  \
    X(NewParserCtxt)                                                                               \
    X(NodeListGetString)                                                                           \
    X(NodeSetContent)                                                                              \
    X(ReplaceNode)                                                                                 \
    X(UnlinkNode)                                                                                  \
    X(XPathCompiledEval)                                                                           \
    X(XPathCtxtCompile)                                                                            \
    X(XPathFreeCompExpr)                                                                           \
    X(XPathFreeContext)                                                                            \
    X(XPathFreeObject)                                                                             \
    X(XPathNewContext)                                                                             \
    X(XPathNodeSetSort)                                                                            \
    X(XPathRegisterNs)

struct hf_xml_library {
#define MEMBER(name) __typeof__(xml##name) *name;
    HF_XML_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* NULL with a sentence in `reterr` (HF_ERROR_MAX): it is not installed, or too old. */
const struct hf_xml_library *hf_xml_library(char *reterr);
