/*
 * A parser by descent: one function for each rule of the grammar. What begins with a parenthesis
 * may be a number in a comparison or a condition: it is read as the first, and when that does not
 * fit again as the second.
 */
#include <string.h>

#include "parse_steps.h"

#define DEPTH_MAX 64u

static struct hf_ottl_node *literal(struct hf_parser *parser, struct hf_ottl_value value)
{
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_LITERAL, parser->token->at);
    if (node != NULL) {
        node->value = value;
        parser->token++;
    }
    return node;
}

static struct hf_ottl_node *parse_value(struct hf_parser *parser);
static struct hf_ottl_node *parse_math(struct hf_parser *parser);
static struct hf_ottl_node *parse_or(struct hf_parser *parser);

/* ---- literals ---- */

static struct hf_ottl_node *parse_string(struct hf_parser *parser)
{
    struct hf_slice text;
    enum hf_status status = hf_ottl_unquote(parser->token->text, parser->arena, &text);
    if (status == HF_NOMEM) {
        return hf_parse_no_memory(parser);
    }
    if (status != HF_OK) {
        parser->status = hf_ottl_refuse(parser->fault, parser->token->at,
                                        "a text with an unknown escape; a backslash is \\\\");
        return NULL;
    }
    return literal(parser, hf_ottl_string(text));
}

static struct hf_ottl_node *parse_bytes(struct hf_parser *parser)
{
    struct hf_slice digits = parser->token->text;
    size_t size = digits.size / 2 - 1;
    uint8_t *bytes = hf_arena_take(parser->arena, size + 1);
    if (digits.size % 2 != 0) {
        return hf_parse_unexpected(parser, "an even number of hexadecimal digits");
    }
    if (bytes == NULL) {
        return hf_parse_no_memory(parser);
    }
    for (size_t i = 0; i < size; i++) {
        int64_t byte = 0;
        if (!hf_ottl_read_int(hf_slice_of(&digits.data[2 + 2 * i], 2), 16, &byte)) {
            return hf_parse_unexpected(parser, "hexadecimal digits");
        }
        bytes[i] = (uint8_t)byte;
    }
    return literal(parser, hf_ottl_of(HF_OTTL_BYTES, hf_slice_of(bytes, size)));
}

static struct hf_ottl_node *parse_number(struct hf_parser *parser)
{
    int64_t integer = 0;
    double real = 0;
    if (parser->token->kind == HF_TOKEN_INT) {
        return hf_ottl_read_int(parser->token->text, 10, &integer)
                   ? literal(parser, hf_ottl_int(integer))
                   : hf_parse_unexpected(parser, "a number of at most 64 bits");
    }
    return hf_ottl_read_double(parser->token->text, &real)
               ? literal(parser, hf_ottl_double(real))
               : hf_parse_unexpected(parser, "a number that fits a double");
}

/* ---- keys, paths and calls ---- */

/* What stands in brackets, as often as they come; behind the items of `node`. */
static bool parse_keys(struct hf_parser *parser, struct hf_ottl_node *node)
{
    while (hf_parse_take_sign(parser, '[')) {
        struct hf_ottl_node *key =
            parser->token->kind == HF_TOKEN_STRING ? parse_string(parser) : parse_math(parser);
        if (!hf_parse_add_item(parser, node, key)) {
            return false;
        }
        if (!hf_parse_take_sign(parser, ']')) {
            hf_parse_unexpected(parser, "a closing bracket");
            return false;
        }
    }
    return true;
}

static struct hf_ottl_node *parse_path(struct hf_parser *parser)
{
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_PATH, parser->token->at);
    struct hf_slice *names =
        hf_arena_take(parser->arena, HF_OTTL_NAMES_MAX * sizeof(struct hf_slice));
    if (node == NULL || names == NULL) {
        return hf_parse_no_memory(parser);
    }
    node->names = names;
    do {
        if (!hf_token_is_segment(parser->token) || node->name_count == HF_OTTL_NAMES_MAX) {
            return hf_parse_unexpected(parser, "a name of a path");
        }
        if (node->count > 0) {
            return hf_parse_unexpected(parser, "no name behind a key");
        }
        names[node->name_count++] = parser->token->text;
        parser->token++;
        if (!parse_keys(parser, node)) {
            return NULL;
        }
    } while (hf_parse_take_sign(parser, '.'));
    if (hf_token_is_sign(parser->token, '(')) {
        parser->token--;
        return hf_parse_unexpected(
            parser, "a path or a converter, whose name begins with a capital letter");
    }
    return node;
}

/* NAME =, in front of an argument. */
static struct hf_slice take_argument_name(struct hf_parser *parser)
{
    const struct hf_ottl_token *token = parser->token;
    if (!hf_token_is_segment(token) || !hf_token_is_sign(token + 1, '=')) {
        return HF_EMPTY_SLICE;
    }
    parser->token += 2;
    return token->text;
}

#define ARGUMENTS_MAX 64u

static struct hf_ottl_node *parse_call(struct hf_parser *parser)
{
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_CALL, parser->token->at);
    struct hf_slice *names = hf_arena_take(parser->arena, ARGUMENTS_MAX * sizeof(struct hf_slice));
    if (node == NULL || names == NULL) {
        return hf_parse_no_memory(parser);
    }
    node->name = parser->token->text;
    node->argument_names = names;
    parser->token += 2; /* the name and the parenthesis */
    if (hf_parse_take_sign(parser, ')')) {
        return node;
    }
    do {
        if (node->count == ARGUMENTS_MAX) {
            return hf_parse_unexpected(parser, "fewer arguments");
        }
        names[node->count] = take_argument_name(parser);
        if (names[node->count].size == 0 && node->count > 0 && names[node->count - 1].size > 0) {
            return hf_parse_unexpected(parser, "a named argument behind a named one");
        }
        if (!hf_parse_add_item(parser, node, parse_value(parser))) {
            return NULL;
        }
    } while (hf_parse_take_sign(parser, ','));
    return hf_parse_take_sign(parser, ')')
               ? node
               : hf_parse_unexpected(parser, "a comma or a closing parenthesis");
}

static bool is_call(const struct hf_parser *parser)
{
    return hf_token_is_name(parser->token) && hf_token_is_sign(parser->token + 1, '(');
}

/* A call, and the keys behind it. */
static struct hf_ottl_node *parse_converter(struct hf_parser *parser)
{
    size_t at = parser->token->at;
    struct hf_ottl_node *call = parse_call(parser);
    if (call == NULL || !hf_token_is_sign(parser->token, '[')) {
        return call;
    }
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_INDEX, at);
    return node != NULL && hf_parse_add_item(parser, node, call) && parse_keys(parser, node) ? node
                                                                                             : NULL;
}

/* ---- numbers ---- */

static struct hf_ottl_node *parse_operand(struct hf_parser *parser)
{
    if (is_call(parser) && hf_token_is_upper(parser->token)) {
        return parse_converter(parser);
    }
    if (parser->token->kind == HF_TOKEN_INT || parser->token->kind == HF_TOKEN_FLOAT) {
        return parse_number(parser);
    }
    if (hf_token_is_segment(parser->token)) {
        return parse_path(parser);
    }
    return hf_parse_unexpected(parser, "a value");
}

/* A sign, and a value or a calculation in parentheses. */
static struct hf_ottl_node *parse_signed(struct hf_parser *parser)
{
    size_t at = parser->token->at;
    bool is_negative = hf_parse_take_sign(parser, '-');
    if (!is_negative) {
        (void)hf_parse_take_sign(parser, '+');
    }
    struct hf_ottl_node *inner;
    if (hf_parse_take_sign(parser, '(')) {
        inner = parse_math(parser);
        if (inner != NULL && !hf_parse_take_sign(parser, ')')) {
            return hf_parse_unexpected(parser, "a closing parenthesis");
        }
    } else {
        inner = parse_operand(parser);
    }
    if (!is_negative || inner == NULL) {
        return inner;
    }
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_NEGATE, at);
    return node != NULL && hf_parse_add_item(parser, node, inner) ? node : NULL;
}

/* Operands with one of two signs between them, from left to right. */
static struct hf_ottl_node *parse_chain(struct hf_parser *parser, const char *signs,
                                        struct hf_ottl_node *(*operand)(struct hf_parser *parser))
{
    struct hf_ottl_node *left = operand(parser);
    while (left != NULL && (hf_token_is_sign(parser->token, signs[0]) ||
                            hf_token_is_sign(parser->token, signs[1]))) {
        struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_MATH, parser->token->at);
        if (node == NULL) {
            return NULL;
        }
        node->sign = (char)parser->token->text.data[0];
        parser->token++;
        if (!hf_parse_add_item(parser, node, left) ||
            !hf_parse_add_item(parser, node, operand(parser))) {
            return NULL;
        }
        left = node;
    }
    return left;
}

static struct hf_ottl_node *parse_product(struct hf_parser *parser)
{
    return parse_chain(parser, "*/", parse_signed);
}

static struct hf_ottl_node *parse_math(struct hf_parser *parser)
{
    if (parser->depth == DEPTH_MAX) {
        return hf_parse_unexpected(parser, "less nesting");
    }
    parser->depth++;
    struct hf_ottl_node *node = parse_chain(parser, "+-", parse_product);
    parser->depth--;
    return node;
}

/* ---- lists, maps and all values ---- */

static struct hf_ottl_node *parse_list(struct hf_parser *parser)
{
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_LIST, parser->token->at);
    parser->token++;
    if (node == NULL || hf_parse_take_sign(parser, ']')) {
        return node;
    }
    do {
        if (!hf_parse_add_item(parser, node, parse_value(parser))) {
            return NULL;
        }
    } while (hf_parse_take_sign(parser, ','));
    return hf_parse_take_sign(parser, ']')
               ? node
               : hf_parse_unexpected(parser, "a comma or a closing bracket");
}

static struct hf_ottl_node *parse_map(struct hf_parser *parser)
{
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_MAP, parser->token->at);
    parser->token++;
    while (node != NULL && !hf_parse_take_sign(parser, '}')) {
        if (parser->token->kind != HF_TOKEN_STRING) {
            return hf_parse_unexpected(parser, "a key in quotation marks or a closing brace");
        }
        if (!hf_parse_add_item(parser, node, parse_string(parser))) {
            return NULL;
        }
        if (!hf_parse_take_sign(parser, ':')) {
            return hf_parse_unexpected(parser, "a colon");
        }
        if (!hf_parse_add_item(parser, node, parse_value(parser))) {
            return NULL;
        }
        if (!hf_parse_take_sign(parser, ',') && !hf_token_is_sign(parser->token, '}')) {
            return hf_parse_unexpected(parser, "a comma or a closing brace");
        }
    }
    return node;
}

static struct hf_ottl_node *parse_name(struct hf_parser *parser)
{
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_NAME, parser->token->at);
    if (node != NULL) {
        node->name = parser->token->text;
        parser->token++;
    }
    return node;
}

/* ---- lambdas ---- */

#define PARAMETERS_MAX 8u

static bool is_parameter(const struct hf_ottl_token *token)
{
    return hf_token_is_segment(token) || hf_token_is_word(token, "_");
}

/* (NAME, NAME) => */
static bool is_lambda(const struct hf_parser *parser)
{
    const struct hf_ottl_token *token = parser->token;
    if (!hf_token_is_sign(token++, '(')) {
        return false;
    }
    for (bool is_first = true; !hf_token_is_sign(token, ')'); is_first = false) {
        if ((!is_first && !hf_token_is_sign(token++, ',')) || !is_parameter(token++)) {
            return false;
        }
    }
    return token[1].kind == HF_TOKEN_ARROW;
}

static bool goes_on_as_condition(const struct hf_ottl_token *token)
{
    return (token->kind >= HF_TOKEN_EQUALS && token->kind <= HF_TOKEN_AT_LEAST) ||
           hf_token_is_word(token, "and") || hf_token_is_word(token, "or");
}

/* A value, or a condition. */
static struct hf_ottl_node *parse_body(struct hf_parser *parser)
{
    const struct hf_ottl_token *start = parser->token;
    if (is_lambda(parser)) {
        return hf_parse_unexpected(parser, "a body that is no lambda itself");
    }
    struct hf_ottl_node *node = parse_value(parser);
    if (parser->status == HF_NOMEM || (node != NULL && !goes_on_as_condition(parser->token))) {
        return node;
    }
    parser->token = start;
    return parse_or(parser);
}

static struct hf_ottl_node *parse_lambda(struct hf_parser *parser)
{
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_LAMBDA, parser->token->at);
    struct hf_slice *names = hf_arena_take(parser->arena, PARAMETERS_MAX * sizeof(*names));
    if (node == NULL || names == NULL) {
        return hf_parse_no_memory(parser);
    }
    node->names = names;
    for (parser->token++; !hf_parse_take_sign(parser, ')'); (void)hf_parse_take_sign(parser, ',')) {
        if (node->name_count == PARAMETERS_MAX) {
            return hf_parse_unexpected(parser, "fewer parameters");
        }
        names[node->name_count++] = parser->token->text;
        parser->token++;
    }
    parser->token++; /* => */
    return hf_parse_add_item(parser, node, parse_body(parser)) ? node : NULL;
}

static struct hf_ottl_node *parse_one_value(struct hf_parser *parser)
{
    const struct hf_ottl_token *token = parser->token;
    if (hf_token_is_word(token, "nil")) {
        return literal(parser, hf_ottl_nil());
    }
    if (hf_token_is_word(token, "true") || hf_token_is_word(token, "false")) {
        return literal(parser, hf_ottl_bool(hf_token_is_word(token, "true")));
    }
    if (token->kind == HF_TOKEN_STRING) {
        return parse_string(parser);
    }
    if (token->kind == HF_TOKEN_BYTES) {
        return parse_bytes(parser);
    }
    if (hf_token_is_sign(token, '[')) {
        return parse_list(parser);
    }
    if (hf_token_is_sign(token, '{')) {
        return parse_map(parser);
    }
    if (hf_token_is_upper(token) && !hf_token_is_sign(token + 1, '(')) {
        return parse_name(parser);
    }
    if (is_lambda(parser)) {
        return parse_lambda(parser);
    }
    return parse_math(parser);
}

static struct hf_ottl_node *parse_value(struct hf_parser *parser)
{
    if (parser->depth == DEPTH_MAX) {
        return hf_parse_unexpected(parser, "less nesting");
    }
    parser->depth++;
    struct hf_ottl_node *node = parse_one_value(parser);
    parser->depth--;
    return node;
}

/* ---- conditions ---- */

static bool is_comparison(const struct hf_ottl_token *token)
{
    return token->kind >= HF_TOKEN_EQUALS && token->kind <= HF_TOKEN_AT_LEAST;
}

static struct hf_ottl_node *parse_comparison(struct hf_parser *parser)
{
    struct hf_ottl_node *left = parse_value(parser);
    if (left == NULL) {
        return NULL;
    }
    if (!is_comparison(parser->token)) {
        bool may_stand_alone = left->kind == HF_NODE_CALL || left->kind == HF_NODE_INDEX ||
                               (left->kind == HF_NODE_LITERAL && left->value.type == HF_OTTL_BOOL);
        if (!may_stand_alone) {
            return hf_parse_unexpected(parser, "a comparison such as == true");
        }
        struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_TEST, left->at);
        return node != NULL && hf_parse_add_item(parser, node, left) ? node : NULL;
    }
    struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_COMPARE, parser->token->at);
    if (node == NULL) {
        return NULL;
    }
    node->comparison = (enum hf_ottl_comparison)(parser->token->kind - HF_TOKEN_EQUALS);
    parser->token++;
    return hf_parse_add_item(parser, node, left) &&
                   hf_parse_add_item(parser, node, parse_value(parser))
               ? node
               : NULL;
}

static struct hf_ottl_node *parse_boolean(struct hf_parser *parser)
{
    size_t at = parser->token->at;
    const struct hf_ottl_token *start;
    if (hf_parse_take_word(parser, "not")) {
        struct hf_ottl_node *node = hf_parse_new_node(parser, HF_NODE_NOT, at);
        if (hf_token_is_word(parser->token, "not")) {
            return hf_parse_unexpected(parser, "one \"not\" only");
        }
        return node != NULL && hf_parse_add_item(parser, node, parse_boolean(parser)) ? node : NULL;
    }
    start = parser->token;
    struct hf_ottl_node *node = parse_comparison(parser);
    if (node != NULL || parser->status == HF_NOMEM || !hf_token_is_sign(start, '(')) {
        return node;
    }
    parser->token = start + 1;
    node = parse_or(parser);
    if (node != NULL && !hf_parse_take_sign(parser, ')')) {
        return hf_parse_unexpected(parser, "a closing parenthesis");
    }
    return node;
}

/* Conditions with a word between them. */
static struct hf_ottl_node *parse_joined(struct hf_parser *parser, const char *word,
                                         enum hf_ottl_node_kind kind,
                                         struct hf_ottl_node *(*part)(struct hf_parser *parser))
{
    struct hf_ottl_node *first = part(parser);
    if (first == NULL || !hf_token_is_word(parser->token, word)) {
        return first;
    }
    struct hf_ottl_node *node = hf_parse_new_node(parser, kind, first->at);
    if (node == NULL || !hf_parse_add_item(parser, node, first)) {
        return NULL;
    }
    while (hf_parse_take_word(parser, word)) {
        if (!hf_parse_add_item(parser, node, part(parser))) {
            return NULL;
        }
    }
    return node;
}

static struct hf_ottl_node *parse_and(struct hf_parser *parser)
{
    return parse_joined(parser, "and", HF_NODE_AND, parse_boolean);
}

static struct hf_ottl_node *parse_or(struct hf_parser *parser)
{
    if (parser->depth == DEPTH_MAX) {
        return hf_parse_unexpected(parser, "less nesting");
    }
    parser->depth++;
    struct hf_ottl_node *node = parse_joined(parser, "or", HF_NODE_OR, parse_and);
    parser->depth--;
    return node;
}

/* ---- the whole ---- */

static struct hf_ottl_node *parse_editor(struct hf_parser *parser)
{
    if (!hf_token_is_name(parser->token)) {
        return hf_parse_unexpected(parser, "the name of an editor");
    }
    if (hf_token_is_upper(parser->token)) {
        return hf_parse_unexpected(parser, "an editor, whose name begins with a small letter");
    }
    if (!is_call(parser)) {
        parser->token++;
        return hf_parse_unexpected(parser, "an opening parenthesis");
    }
    struct hf_ottl_node *node = parse_call(parser);
    if (node != NULL && hf_token_is_sign(parser->token, '[')) {
        return hf_parse_unexpected(parser, "no key behind an editor");
    }
    return node;
}

static void parse_text(struct hf_parser *parser, struct hf_ottl_text *text, bool is_statement)
{
    if (is_statement) {
        text->editor = parse_editor(parser);
        if (text->editor == NULL) {
            return;
        }
    }
    if (!is_statement || hf_parse_take_word(parser, "where")) {
        text->condition = parse_or(parser);
        if (text->condition == NULL) {
            return;
        }
    }
    if (parser->token->kind == HF_TOKEN_END) {
        parser->status = HF_OK;
        return;
    }
    hf_parse_unexpected(parser, is_statement && text->condition == NULL
                                    ? "\"where\" or the end"
                                    : "\"and\", \"or\" or the end");
}

enum hf_status hf_ottl_parse(struct hf_ottl_text *text, bool is_statement, struct hf_arena *arena,
                             struct hf_ottl_fault *fault)
{
    struct hf_ottl_token *tokens = NULL;
    size_t at = 0;
    fault->sentence[0] = '\0';
    fault->at = 0;
    enum hf_status status = hf_ottl_lex(hf_slice_text(text->text), arena, &tokens, &at);
    if (status == HF_INVALID) {
        return hf_ottl_refuse(fault, at, "%s",
                              text->text[at] == '"' ? "a text without a closing quotation mark"
                                                    : "a character that has no meaning here");
    }
    if (status != HF_OK) {
        return status;
    }
    struct hf_parser parser = {
        .token = tokens, .arena = arena, .fault = fault, .status = HF_INVALID};
    parse_text(&parser, text, is_statement);
    return parser.status;
}
