/*
 * parser: from the text of an expression to its tree, by precedence.
 */
#include <stdlib.h>

#include "tree.h"
#include "util/regex/regex.h"

#define ITEMS_MAX EXPR_ARGUMENTS_MAX

static struct node *parse_expression(struct parser *parser);

/* Expressions up to a closing bracket, with commas between them. */
static bool parse_items(struct parser *parser, const char *close, struct node **items,
                        size_t *ret_count)
{
    *ret_count = 0;
    while (!expr_is_sign(parser, close)) {
        if (*ret_count == ITEMS_MAX || (items[*ret_count] = parse_expression(parser)) == NULL) {
            return expr_refuse(parser, "too many items") != NULL;
        }
        (*ret_count)++;
        if (!expr_accept_sign(parser, ",")) {
            break;
        }
    }
    return expr_accept_sign(parser, close) ||
           expr_refuse(parser, "a bracket is not closed") != NULL;
}

static struct node *parse_map(struct parser *parser)
{
    struct node *items[ITEMS_MAX];
    size_t count = 0;
    while (!expr_is_sign(parser, "}")) {
        struct node *key = NULL;
        if (count + 2 > ITEMS_MAX) {
            return expr_refuse(parser, "too many items");
        }
        if (expr_accept_sign(parser, "(")) {
            key = parse_expression(parser);
            if (!expr_accept_sign(parser, ")")) {
                return expr_refuse(parser, "a bracket is not closed");
            }
        } else if (parser->token.kind == HF_TOKEN_NAME || parser->token.kind == HF_TOKEN_STRING) {
            key = expr_new_constant(parser, hf_expr_string(parser->token.text));
            expr_advance(parser);
        }
        if (key == NULL || !expr_accept_sign(parser, ":")) {
            return expr_refuse(parser, "a map needs keys with colons");
        }
        items[count++] = key;
        items[count++] = parse_expression(parser);
        if (items[count - 1] == NULL) {
            return NULL;
        }
        if (!expr_accept_sign(parser, ",")) {
            break;
        }
    }
    return expr_accept_sign(parser, "}") ? expr_with_items(parser, NODE_MAP, items, count)
                                         : expr_refuse(parser, "a bracket is not closed");
}

/* `{# > 1}` or the same without braces. */
static struct node *parse_predicate(struct parser *parser)
{
    bool braces = expr_accept_sign(parser, "{");
    parser->predicates++;
    struct node *node = parse_expression(parser);
    parser->predicates--;
    if (braces && !expr_accept_sign(parser, "}")) {
        return expr_refuse(parser, "a bracket is not closed");
    }
    return node;
}

/* NULL, without a fault: there is no such variable. */
static struct node *new_variable(struct parser *parser, struct hf_slice name)
{
    for (unsigned i = parser->local_count; i-- > 0;) {
        if (hf_slice_equal(name, parser->locals[i])) {
            return expr_new_index(parser, NODE_LOCAL, i);
        }
    }
    for (unsigned i = 0; parser->names[i] != NULL; i++) {
        if (hf_slice_is(name, parser->names[i])) {
            return expr_new_index(parser, NODE_VARIABLE, i);
        }
    }
    return NULL;
}

/* Behind the opening bracket; `piped`: the first argument, if it stood before a `|`. */
static struct node *parse_call(struct parser *parser, struct hf_slice name, struct node *piped)
{
    struct node *items[ITEMS_MAX + 1] = {piped};
    struct node *labels = NULL;
    size_t count = piped != NULL;
    const struct expr_function *function = expr_function_find(name);
    if (function != NULL && (function->kind & EXPR_LABELS) != 0) {
        labels = new_variable(parser, hf_slice_text(HF_EXPR_LABELS));
        function = labels != NULL ? function : NULL;
    }
    if (hf_slice_is(name, HF_EXPR_ENV) && new_variable(parser, name) != NULL) {
        function = NULL;
    }
    if (function == NULL) {
        return expr_refuse(parser, "a function is not known");
    }
    while (!expr_is_sign(parser, ")")) {
        bool predicate = count == 1 && (function->kind & EXPR_PREDICATE) != 0;
        struct node *item = predicate ? parse_predicate(parser) : parse_expression(parser);
        if (item == NULL || count == ITEMS_MAX) {
            return expr_refuse(parser, "too many arguments");
        }
        items[count++] = item;
        if (!expr_accept_sign(parser, ",")) {
            break;
        }
    }
    if (!expr_accept_sign(parser, ")")) {
        return expr_refuse(parser, "a bracket is not closed");
    }
    if (count < function->min || count > function->max) {
        return expr_refuse(parser, "a function has too few or too many arguments");
    }
    if (labels != NULL) {
        items[count++] = labels;
    }
    struct node *node = expr_with_items(parser, NODE_CALL, items, count);
    if (node != NULL) {
        node->function = function;
    }
    return node;
}

static struct node *parse_name(struct parser *parser)
{
    struct hf_slice name = parser->token.text;
    expr_advance(parser);
    if (hf_slice_is(name, "true") || hf_slice_is(name, "false")) {
        return expr_new_constant(parser, hf_expr_boolean(hf_slice_is(name, "true")));
    }
    if (hf_slice_is(name, "nil")) {
        return expr_new_constant(parser, (struct hf_expr_value){0});
    }
    if (expr_accept_sign(parser, "(")) {
        return parse_call(parser, name, NULL);
    }
    struct node *variable = new_variable(parser, name);
    if (variable != NULL) {
        return variable;
    }
    return expr_new_constant(parser, (struct hf_expr_value){0}); /* what is not known is nil */
}

static struct node *parse_primary(struct parser *parser)
{
    struct node *items[ITEMS_MAX];
    size_t count = 0;
    struct hf_expr_token token = parser->token;
    switch (token.kind) {
    case HF_TOKEN_NAME:
        return parse_name(parser);
    case HF_TOKEN_STRING:
        expr_advance(parser);
        return expr_new_constant(parser, hf_expr_string(token.text));
    case HF_TOKEN_INT:
        expr_advance(parser);
        return expr_new_constant(parser, hf_expr_integer(token.integer));
    case HF_TOKEN_DOUBLE:
        expr_advance(parser);
        return expr_new_constant(parser, hf_expr_number(token.number));
    default:
        break;
    }
    if (expr_accept_sign(parser, "(")) {
        struct node *node = parse_expression(parser);
        return expr_accept_sign(parser, ")") ? node
                                             : expr_refuse(parser, "a bracket is not closed");
    }
    if (expr_accept_sign(parser, "[")) {
        return parse_items(parser, "]", items, &count)
                   ? expr_with_items(parser, NODE_LIST, items, count)
                   : NULL;
    }
    if (expr_accept_sign(parser, "{")) {
        return parse_map(parser);
    }
    if (parser->predicates != 0 && expr_is_sign(parser, "#")) {
        expr_advance(parser);
        unsigned index = expr_is_word(parser, "index") ? 1 : expr_is_word(parser, "acc") ? 2 : 0;
        if (index != 0) {
            expr_advance(parser);
        }
        return expr_new_index(parser, NODE_ELEMENT, index);
    }
    if (parser->predicates != 0 && expr_is_sign(parser, ".")) {
        return expr_new_node(parser, NODE_ELEMENT); /* .name is #.name */
    }
    return expr_refuse(parser, "a value is expected");
}

static struct node *parse_bracket(struct parser *parser, struct node *of)
{
    struct node *from = NULL, *to = NULL;
    bool slice = false;
    if (!expr_is_sign(parser, ":")) {
        from = parse_expression(parser);
    }
    if (expr_accept_sign(parser, ":")) {
        slice = true;
        to = expr_is_sign(parser, "]") ? NULL : parse_expression(parser);
    }
    if (!expr_accept_sign(parser, "]")) {
        return expr_refuse(parser, "a bracket is not closed");
    }
    struct node *node =
        slice ? expr_new_node(parser, NODE_SLICE) : expr_new_pair(parser, NODE_MEMBER, of, from);
    if (slice && node != NULL) {
        node->left = of;
        node->right = from;
        node->third = to;
    }
    return node;
}

/* Members and slices behind a value. */
static struct node *parse_members(struct parser *parser, struct node *node)
{
    while (node != NULL) {
        bool optional = expr_is_sign(parser, "?.");
        if (optional || expr_is_sign(parser, ".")) {
            expr_advance(parser);
            if (optional && expr_accept_sign(parser, "[")) {
                node = parse_bracket(parser, node);
            } else if (parser->token.kind == HF_TOKEN_NAME) {
                struct node *key = expr_new_constant(parser, hf_expr_string(parser->token.text));
                expr_advance(parser);
                node = expr_new_pair(parser, NODE_MEMBER, node, key);
            } else {
                return expr_refuse(parser, "a name is expected behind the dot");
            }
            if (node != NULL) {
                node->is_optional = optional;
            }
        } else if (expr_accept_sign(parser, "[")) {
            node = parse_bracket(parser, node);
        } else {
            return node;
        }
    }
    return NULL;
}

static struct node *parse_postfix(struct parser *parser)
{
    return parse_members(parser, parse_primary(parser));
}

/* ---- by precedence ---- */

static const struct {
    const char *text;
    int precedence;
    enum node_kind kind;
    bool from_right;
} operators[] = {
    {"or", 10, NODE_OR, false},
    {"||", 10, NODE_OR, false},
    {"and", 15, NODE_AND, false},
    {"&&", 15, NODE_AND, false},
    {"==", 20, NODE_EQUAL, false},
    {"!=", 20, NODE_UNEQUAL, false},
    {"<", 20, NODE_LESS, false},
    {"<=", 20, NODE_LESS_EQUAL, false},
    {">", 20, NODE_GREATER, false},
    {">=", 20, NODE_GREATER_EQUAL, false},
    {"in", 20, NODE_IN, false},
    {"matches", 20, NODE_MATCHES, false},
    {"contains", 20, NODE_CONTAINS, false},
    {"startsWith", 20, NODE_STARTS_WITH, false},
    {"endsWith", 20, NODE_ENDS_WITH, false},
    {"..", 25, NODE_RANGE, false},
    {"+", 30, NODE_ADD, false},
    {"-", 30, NODE_SUBTRACT, false},
    {"*", 60, NODE_MULTIPLY, false},
    {"/", 60, NODE_DIVIDE, false},
    {"%", 60, NODE_REMAINDER, false},
    {"**", 100, NODE_POWER, true},
    {"^", 100, NODE_POWER, true},
    {"??", 500, NODE_COALESCE, false},
};

static int find_operator(const struct parser *parser)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if ((parser->token.kind == HF_TOKEN_SIGN || parser->token.kind == HF_TOKEN_NAME) &&
            hf_slice_is(parser->token.text, operators[i].text)) {
            return (int)i;
        }
    }
    return -1;
}

static struct node *parse_binary(struct parser *parser, int precedence);

static struct node *parse_unary(struct parser *parser)
{
    bool not = expr_is_word(parser, "not") || expr_is_sign(parser, "!");
    bool minus = expr_is_sign(parser, "-");
    if (!not &&!minus && !expr_is_sign(parser, "+")) {
        return parse_postfix(parser);
    }
    expr_advance(parser);
    struct node *operand = parse_binary(parser, not ? 50 : 90);
    if (operand == NULL || (!not &&!minus)) {
        return operand;
    }
    struct node *node = expr_new_node(parser, not ? NODE_NOT : NODE_MINUS);
    if (node != NULL) {
        node->left = operand;
    }
    return node;
}

/* A literal pattern is compiled at once. */
static struct node *finish_matches(struct parser *parser, struct node *node)
{
    char why[HF_REGEX_ERROR_MAX];
    if (node == NULL || node->kind != NODE_MATCHES || node->right->kind != NODE_CONSTANT ||
        node->right->constant.type != HF_EXPR_STRING) {
        return node;
    }
    /* Texts of the lexer end in a zero byte. */
    if (hf_regex_new((const char *)node->right->constant.text.data, &node->regex, why) != HF_OK) {
        return expr_refuse(parser, "a pattern is no regular expression");
    }
    node->next_regex = parser->expr->regexes;
    parser->expr->regexes = node;
    return node;
}

/* Behind a `|`: what stands before it is the first argument of the function. */
static struct node *parse_pipe(struct parser *parser, struct node *left)
{
    struct hf_slice name = parser->token.text;
    bool is_name = parser->token.kind == HF_TOKEN_NAME;
    expr_advance(parser);
    if (!is_name || !expr_accept_sign(parser, "(")) {
        return expr_refuse(parser, "a function is expected behind |");
    }
    return parse_members(parser, parse_call(parser, name, left));
}

static struct node *parse_binary(struct parser *parser, int precedence)
{
    if (++parser->depth > EXPR_DEPTH_MAX) {
        return expr_refuse(parser, "it is nested too deeply");
    }
    struct node *left = parse_unary(parser);
    while (left != NULL) {
        bool negated = false;
        if (precedence == 0 && expr_accept_sign(parser, "|")) {
            left = parse_pipe(parser, left);
            continue;
        }
        int found = find_operator(parser);
        if (found < 0 && expr_is_word(parser, "not") && precedence <= 20) {
            expr_advance(parser);
            negated = true;
            found = find_operator(parser);
            if (found < 0 || operators[found].precedence != 20) {
                return expr_refuse(parser, "an operator is expected behind not");
            }
        }
        if (found < 0 || operators[found].precedence < precedence) {
            break;
        }
        expr_advance(parser);
        int next = operators[found].precedence + !operators[found].from_right;
        struct node *right = parse_binary(parser, next);
        left = finish_matches(parser, expr_new_pair(parser, operators[found].kind, left, right));
        if (negated && left != NULL) {
            struct node *not = expr_new_node(parser, NODE_NOT);
            if (not != NULL) {
                not ->left = left;
            }
            left = not ;
        }
    }
    parser->depth--;
    return left;
}

static struct node *new_condition(struct parser *parser, struct node *left, struct node *right,
                                  struct node *third)
{
    struct node *node = expr_new_pair(parser, NODE_CONDITION, left, right);
    if (node != NULL) {
        node->third = third;
    }
    return third != NULL ? node : NULL;
}

/* `{ expression }` */
static struct node *parse_braces(struct parser *parser)
{
    if (!expr_accept_sign(parser, "{")) {
        return expr_refuse(parser, "a brace is expected");
    }
    struct node *node = parse_expression(parser);
    return expr_accept_sign(parser, "}") ? node : expr_refuse(parser, "a bracket is not closed");
}

/* Behind `if`. */
static struct node *parse_if(struct parser *parser)
{
    struct node *left = parse_expression(parser);
    struct node *right = left != NULL ? parse_braces(parser) : NULL;
    if (right == NULL || !expr_is_word(parser, "else")) {
        return expr_refuse(parser, "else is expected");
    }
    expr_advance(parser);
    bool is_if = expr_is_word(parser, "if");
    if (is_if) {
        expr_advance(parser);
    }
    return new_condition(parser, left, right, is_if ? parse_if(parser) : parse_braces(parser));
}

/* Behind `let`: name = value; the expression that knows the name. */
static struct node *parse_let(struct parser *parser)
{
    struct hf_slice name = parser->token.text;
    bool is_name = parser->token.kind == HF_TOKEN_NAME;
    expr_advance(parser);
    if (!is_name || !expr_accept_sign(parser, "=")) {
        return expr_refuse(parser, "let needs a name, = and a value");
    }
    struct node *value = parse_expression(parser);
    if (value == NULL || !expr_accept_sign(parser, ";")) {
        return expr_refuse(parser, "a semicolon is expected behind the value of let");
    }
    if (parser->local_count == EXPR_LOCALS_MAX) {
        return expr_refuse(parser, "too many names of let");
    }
    unsigned index = parser->local_count++;
    parser->locals[index] = name;
    struct node *node = expr_new_pair(parser, NODE_LET, value, parse_expression(parser));
    parser->local_count--;
    if (node != NULL) {
        node->index = index;
    }
    return node;
}

static struct node *parse_choice(struct parser *parser)
{
    struct node *left = parse_binary(parser, 0);
    if (left == NULL || !expr_accept_sign(parser, "?")) {
        return left;
    }
    struct node *right = parse_expression(parser);
    if (right == NULL || !expr_accept_sign(parser, ":")) {
        return expr_refuse(parser, "a colon is expected");
    }
    return new_condition(parser, left, right, parse_expression(parser));
}

static struct node *parse_expression(struct parser *parser)
{
    struct node *node = NULL;
    if (++parser->depth > EXPR_DEPTH_MAX) {
        return expr_refuse(parser, "it is nested too deeply");
    }
    if (expr_is_word(parser, "let") || expr_is_word(parser, "if")) {
        bool is_let = expr_is_word(parser, "let");
        expr_advance(parser);
        node = is_let ? parse_let(parser) : parse_if(parser);
    } else {
        node = parse_choice(parser);
    }
    parser->depth--;
    return node;
}

const char *expr_parse(struct hf_expr *expr, const char *text, const char *const *names,
                       size_t *ret_at)
{
    struct parser parser = {
        .expr = expr,
        .lexer = {.text = text, .size = strlen(text), .arena = &expr->arena},
        .names = names,
    };
    expr_advance(&parser);
    expr->root = parse_expression(&parser);
    if (parser.wrong == NULL && parser.token.kind != HF_TOKEN_END) {
        parser.wrong = "it should end here";
    }
    *ret_at = parser.token.at;
    return parser.wrong != NULL ? parser.wrong : expr->root == NULL ? "a value is expected" : NULL;
}
