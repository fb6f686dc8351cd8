/*
 * parser: from the text of an expression to its tree, by precedence.
 */
#include <stdlib.h>

#include "lexer.h"
#include "node.h"
#include "util/regex/regex.h"

#define ITEMS_MAX EXPR_ARGUMENTS_MAX

struct parser {
    struct hf_expr *expr;
    struct hf_expr_lexer lexer;
    struct hf_expr_token token; /* the next one */
    const char *const *names;
    const char *wrong;
    unsigned depth, predicates;
    struct hf_slice locals[EXPR_LOCALS_MAX]; /* what `let` named, the innermost last */
    unsigned local_count;
};

static void advance(struct parser *parser)
{
    const char *wrong = hf_expr_lex(&parser->lexer, &parser->token);
    if (wrong != NULL && parser->wrong == NULL) {
        parser->wrong = wrong;
        parser->token.kind = HF_TOKEN_END;
    }
}

static void *fail(struct parser *parser, const char *wrong)
{
    parser->wrong = parser->wrong != NULL ? parser->wrong : wrong;
    return NULL;
}

static bool is_sign(const struct parser *parser, const char *text)
{
    return parser->token.kind == HF_TOKEN_SIGN && hf_slice_is(parser->token.text, text);
}

static bool is_word(const struct parser *parser, const char *text)
{
    return parser->token.kind == HF_TOKEN_NAME && hf_slice_is(parser->token.text, text);
}

static bool accept_sign(struct parser *parser, const char *text)
{
    bool found = is_sign(parser, text);
    if (found) {
        advance(parser);
    }
    return found;
}

static struct node *new_node(struct parser *parser, enum node_kind kind)
{
    struct node *node = hf_arena_take(&parser->expr->arena, sizeof(*node));
    if (node == NULL) {
        return fail(parser, "it is too long");
    }
    *node = (struct node){.kind = kind};
    return node;
}

static struct node *new_pair(struct parser *parser, enum node_kind kind, struct node *left,
                             struct node *right)
{
    struct node *node = new_node(parser, kind);
    if (node != NULL) {
        node->left = left;
        node->right = right;
    }
    return left != NULL && right != NULL ? node : NULL;
}

static struct node *new_constant(struct parser *parser, struct hf_expr_value value)
{
    struct node *node = new_node(parser, NODE_CONSTANT);
    if (node != NULL) {
        node->constant = value;
    }
    return node;
}

static struct node *parse_expression(struct parser *parser);

/* Expressions up to a closing bracket, with commas between them. */
static bool parse_items(struct parser *parser, const char *close, struct node **items,
                        size_t *ret_count)
{
    *ret_count = 0;
    while (!is_sign(parser, close)) {
        if (*ret_count == ITEMS_MAX || (items[*ret_count] = parse_expression(parser)) == NULL) {
            return fail(parser, "too many items") != NULL;
        }
        (*ret_count)++;
        if (!accept_sign(parser, ",")) {
            break;
        }
    }
    return accept_sign(parser, close) || fail(parser, "a bracket is not closed") != NULL;
}

static struct node *with_items(struct parser *parser, enum node_kind kind, struct node **items,
                               size_t count)
{
    struct node *node = new_node(parser, kind);
    struct node **kept = hf_arena_take(&parser->expr->arena, (count + 1) * sizeof(struct node *));
    if (node == NULL || kept == NULL) {
        return fail(parser, "it is too long");
    }
    memcpy(kept, items, count * sizeof(struct node *));
    node->items = kept;
    node->count = count;
    return node;
}

static struct node *parse_map(struct parser *parser)
{
    struct node *items[ITEMS_MAX];
    size_t count = 0;
    while (!is_sign(parser, "}")) {
        struct node *key = NULL;
        if (count + 2 > ITEMS_MAX) {
            return fail(parser, "too many items");
        }
        if (accept_sign(parser, "(")) {
            key = parse_expression(parser);
            if (!accept_sign(parser, ")")) {
                return fail(parser, "a bracket is not closed");
            }
        } else if (parser->token.kind == HF_TOKEN_NAME || parser->token.kind == HF_TOKEN_STRING) {
            key = new_constant(parser, hf_expr_string(parser->token.text));
            advance(parser);
        }
        if (key == NULL || !accept_sign(parser, ":")) {
            return fail(parser, "a map needs keys with colons");
        }
        items[count++] = key;
        items[count++] = parse_expression(parser);
        if (items[count - 1] == NULL) {
            return NULL;
        }
        if (!accept_sign(parser, ",")) {
            break;
        }
    }
    return accept_sign(parser, "}") ? with_items(parser, NODE_MAP, items, count)
                                    : fail(parser, "a bracket is not closed");
}

/* `{# > 1}` or the same without braces. */
static struct node *parse_predicate(struct parser *parser)
{
    bool braces = accept_sign(parser, "{");
    parser->predicates++;
    struct node *node = parse_expression(parser);
    parser->predicates--;
    if (braces && !accept_sign(parser, "}")) {
        return fail(parser, "a bracket is not closed");
    }
    return node;
}

static struct node *new_index(struct parser *parser, enum node_kind kind, unsigned index)
{
    struct node *node = new_node(parser, kind);
    if (node != NULL) {
        node->index = index;
    }
    return node;
}

/* NULL, without a fault: there is no such variable. */
static struct node *new_variable(struct parser *parser, struct hf_slice name)
{
    for (unsigned i = parser->local_count; i-- > 0;) {
        if (hf_slice_equal(name, parser->locals[i])) {
            return new_index(parser, NODE_LOCAL, i);
        }
    }
    for (unsigned i = 0; parser->names[i] != NULL; i++) {
        if (hf_slice_is(name, parser->names[i])) {
            return new_index(parser, NODE_VARIABLE, i);
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
        return fail(parser, "a function is not known");
    }
    while (!is_sign(parser, ")")) {
        bool predicate = count == 1 && (function->kind & EXPR_PREDICATE) != 0;
        struct node *item = predicate ? parse_predicate(parser) : parse_expression(parser);
        if (item == NULL || count == ITEMS_MAX) {
            return fail(parser, "too many arguments");
        }
        items[count++] = item;
        if (!accept_sign(parser, ",")) {
            break;
        }
    }
    if (!accept_sign(parser, ")")) {
        return fail(parser, "a bracket is not closed");
    }
    if (count < function->min || count > function->max) {
        return fail(parser, "a function has too few or too many arguments");
    }
    if (labels != NULL) {
        items[count++] = labels;
    }
    struct node *node = with_items(parser, NODE_CALL, items, count);
    if (node != NULL) {
        node->function = function;
    }
    return node;
}

static struct node *parse_name(struct parser *parser)
{
    struct hf_slice name = parser->token.text;
    advance(parser);
    if (hf_slice_is(name, "true") || hf_slice_is(name, "false")) {
        return new_constant(parser, hf_expr_boolean(hf_slice_is(name, "true")));
    }
    if (hf_slice_is(name, "nil")) {
        return new_constant(parser, (struct hf_expr_value){0});
    }
    if (accept_sign(parser, "(")) {
        return parse_call(parser, name, NULL);
    }
    struct node *variable = new_variable(parser, name);
    if (variable != NULL) {
        return variable;
    }
    return new_constant(parser, (struct hf_expr_value){0}); /* what is not known is nil */
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
        advance(parser);
        return new_constant(parser, hf_expr_string(token.text));
    case HF_TOKEN_INT:
        advance(parser);
        return new_constant(parser, hf_expr_integer(token.integer));
    case HF_TOKEN_DOUBLE:
        advance(parser);
        return new_constant(parser, hf_expr_number(token.number));
    default:
        break;
    }
    if (accept_sign(parser, "(")) {
        struct node *node = parse_expression(parser);
        return accept_sign(parser, ")") ? node : fail(parser, "a bracket is not closed");
    }
    if (accept_sign(parser, "[")) {
        return parse_items(parser, "]", items, &count) ? with_items(parser, NODE_LIST, items, count)
                                                       : NULL;
    }
    if (accept_sign(parser, "{")) {
        return parse_map(parser);
    }
    if (parser->predicates != 0 && is_sign(parser, "#")) {
        advance(parser);
        unsigned index = is_word(parser, "index") ? 1 : is_word(parser, "acc") ? 2 : 0;
        if (index != 0) {
            advance(parser);
        }
        return new_index(parser, NODE_ELEMENT, index);
    }
    if (parser->predicates != 0 && is_sign(parser, ".")) {
        return new_node(parser, NODE_ELEMENT); /* .name is #.name */
    }
    return fail(parser, "a value is expected");
}

static struct node *parse_bracket(struct parser *parser, struct node *of)
{
    struct node *from = NULL, *to = NULL;
    bool slice = false;
    if (!is_sign(parser, ":")) {
        from = parse_expression(parser);
    }
    if (accept_sign(parser, ":")) {
        slice = true;
        to = is_sign(parser, "]") ? NULL : parse_expression(parser);
    }
    if (!accept_sign(parser, "]")) {
        return fail(parser, "a bracket is not closed");
    }
    struct node *node =
        slice ? new_node(parser, NODE_SLICE) : new_pair(parser, NODE_MEMBER, of, from);
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
        bool optional = is_sign(parser, "?.");
        if (optional || is_sign(parser, ".")) {
            advance(parser);
            if (optional && accept_sign(parser, "[")) {
                node = parse_bracket(parser, node);
            } else if (parser->token.kind == HF_TOKEN_NAME) {
                struct node *key = new_constant(parser, hf_expr_string(parser->token.text));
                advance(parser);
                node = new_pair(parser, NODE_MEMBER, node, key);
            } else {
                return fail(parser, "a name is expected behind the dot");
            }
            if (node != NULL) {
                node->is_optional = optional;
            }
        } else if (accept_sign(parser, "[")) {
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
    bool not = is_word(parser, "not") || is_sign(parser, "!");
    bool minus = is_sign(parser, "-");
    if (!not &&!minus && !is_sign(parser, "+")) {
        return parse_postfix(parser);
    }
    advance(parser);
    struct node *operand = parse_binary(parser, not ? 50 : 90);
    if (operand == NULL || (!not &&!minus)) {
        return operand;
    }
    struct node *node = new_node(parser, not ? NODE_NOT : NODE_MINUS);
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
        return fail(parser, "a pattern is no regular expression");
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
    advance(parser);
    if (!is_name || !accept_sign(parser, "(")) {
        return fail(parser, "a function is expected behind |");
    }
    return parse_members(parser, parse_call(parser, name, left));
}

static struct node *parse_binary(struct parser *parser, int precedence)
{
    if (++parser->depth > EXPR_DEPTH_MAX) {
        return fail(parser, "it is nested too deeply");
    }
    struct node *left = parse_unary(parser);
    while (left != NULL) {
        bool negated = false;
        if (precedence == 0 && accept_sign(parser, "|")) {
            left = parse_pipe(parser, left);
            continue;
        }
        int found = find_operator(parser);
        if (found < 0 && is_word(parser, "not") && precedence <= 20) {
            advance(parser);
            negated = true;
            found = find_operator(parser);
            if (found < 0 || operators[found].precedence != 20) {
                return fail(parser, "an operator is expected behind not");
            }
        }
        if (found < 0 || operators[found].precedence < precedence) {
            break;
        }
        advance(parser);
        int next = operators[found].precedence + !operators[found].from_right;
        struct node *right = parse_binary(parser, next);
        left = finish_matches(parser, new_pair(parser, operators[found].kind, left, right));
        if (negated && left != NULL) {
            struct node *not = new_node(parser, NODE_NOT);
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
    struct node *node = new_pair(parser, NODE_CONDITION, left, right);
    if (node != NULL) {
        node->third = third;
    }
    return third != NULL ? node : NULL;
}

/* `{ expression }` */
static struct node *parse_braces(struct parser *parser)
{
    if (!accept_sign(parser, "{")) {
        return fail(parser, "a brace is expected");
    }
    struct node *node = parse_expression(parser);
    return accept_sign(parser, "}") ? node : fail(parser, "a bracket is not closed");
}

/* Behind `if`. */
static struct node *parse_if(struct parser *parser)
{
    struct node *left = parse_expression(parser);
    struct node *right = left != NULL ? parse_braces(parser) : NULL;
    if (right == NULL || !is_word(parser, "else")) {
        return fail(parser, "else is expected");
    }
    advance(parser);
    bool is_if = is_word(parser, "if");
    if (is_if) {
        advance(parser);
    }
    return new_condition(parser, left, right, is_if ? parse_if(parser) : parse_braces(parser));
}

/* Behind `let`: name = value; the expression that knows the name. */
static struct node *parse_let(struct parser *parser)
{
    struct hf_slice name = parser->token.text;
    bool is_name = parser->token.kind == HF_TOKEN_NAME;
    advance(parser);
    if (!is_name || !accept_sign(parser, "=")) {
        return fail(parser, "let needs a name, = and a value");
    }
    struct node *value = parse_expression(parser);
    if (value == NULL || !accept_sign(parser, ";")) {
        return fail(parser, "a semicolon is expected behind the value of let");
    }
    if (parser->local_count == EXPR_LOCALS_MAX) {
        return fail(parser, "too many names of let");
    }
    unsigned index = parser->local_count++;
    parser->locals[index] = name;
    struct node *node = new_pair(parser, NODE_LET, value, parse_expression(parser));
    parser->local_count--;
    if (node != NULL) {
        node->index = index;
    }
    return node;
}

static struct node *parse_choice(struct parser *parser)
{
    struct node *left = parse_binary(parser, 0);
    if (left == NULL || !accept_sign(parser, "?")) {
        return left;
    }
    struct node *right = parse_expression(parser);
    if (right == NULL || !accept_sign(parser, ":")) {
        return fail(parser, "a colon is expected");
    }
    return new_condition(parser, left, right, parse_expression(parser));
}

static struct node *parse_expression(struct parser *parser)
{
    struct node *node = NULL;
    if (++parser->depth > EXPR_DEPTH_MAX) {
        return fail(parser, "it is nested too deeply");
    }
    if (is_word(parser, "let") || is_word(parser, "if")) {
        bool is_let = is_word(parser, "let");
        advance(parser);
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
    advance(&parser);
    expr->root = parse_expression(&parser);
    if (parser.wrong == NULL && parser.token.kind != HF_TOKEN_END) {
        parser.wrong = "it should end here";
    }
    *ret_at = parser.token.at;
    return parser.wrong != NULL ? parser.wrong : expr->root == NULL ? "a value is expected" : NULL;
}
