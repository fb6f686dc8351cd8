#include "gen_ai_source.h"

#include <string.h>
#include <strings.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define OPERATION "gen_ai.operation.name"
#define MODEL "gen_ai.request.model"

static const struct gen_ai_mapping openinference_mappings[] = {
    {"llm.token_count.prompt", "gen_ai.usage.input_tokens"},
    {"llm.token_count.completion", "gen_ai.usage.output_tokens"},
    {"llm.model_name", MODEL},
    {"llm.provider", "gen_ai.provider.name"},
    {"embedding.model_name", MODEL},
    {"tool.name", "gen_ai.tool.name"},
    {"tool.description", "gen_ai.tool.description"},
    {"tool_call.function.arguments", "gen_ai.tool.call.arguments"},
    {"tool_call.id", "gen_ai.tool.call.id"},
    {"reranker.model_name", MODEL},
    {"agent.name", "gen_ai.agent.name"},
    {"session.id", "gen_ai.conversation.id"},
    {"openinference.span.kind", OPERATION},
};

static const struct gen_ai_value openinference_values[] = {
    {OPERATION, "llm", "chat"},           {OPERATION, "embedding", "embeddings"},
    {OPERATION, "chain", "invoke_agent"}, {OPERATION, "retriever", "retrieval"},
    {OPERATION, "reranker", "retrieval"}, {OPERATION, "tool", "execute_tool"},
    {OPERATION, "agent", "invoke_agent"}, {OPERATION, "prompt", "text_completion"},
};

static const struct gen_ai_mapping openllmetry_mappings[] = {
    {"llm.usage.prompt_tokens", "gen_ai.usage.input_tokens"},
    {"llm.usage.completion_tokens", "gen_ai.usage.output_tokens"},
    {"llm.request.model", MODEL},
    {"llm.response.model", "gen_ai.response.model"},
    {"llm.request.max_tokens", "gen_ai.request.max_tokens"},
    {"llm.request.temperature", "gen_ai.request.temperature"},
    {"llm.request.top_p", "gen_ai.request.top_p"},
    {"llm.top_k", "gen_ai.request.top_k"},
    {"llm.frequency_penalty", "gen_ai.request.frequency_penalty"},
    {"llm.presence_penalty", "gen_ai.request.presence_penalty"},
    {"llm.chat.stop_sequences", "gen_ai.request.stop_sequences"},
    {"llm.request.functions", "gen_ai.tool.definitions"},
    {"llm.response.finish_reason", "gen_ai.response.finish_reasons"},
    {"llm.response.stop_reason", "gen_ai.response.finish_reasons"},
    {"llm.request.type", OPERATION},
    {"traceloop.span.kind", OPERATION},
    {"traceloop.entity.name", "gen_ai.agent.name"},
    {"traceloop.entity.input", GEN_AI_INPUT_MESSAGES},
    {"traceloop.entity.output", GEN_AI_OUTPUT_MESSAGES},
};

static const struct gen_ai_value openllmetry_values[] = {
    {OPERATION, "workflow", "invoke_workflow"},   {OPERATION, "task", "invoke_agent"},
    {OPERATION, "agent", "invoke_agent"},         {OPERATION, "tool", "execute_tool"},
    {OPERATION, "completion", "text_completion"}, {OPERATION, "chat", "chat"},
    {OPERATION, "rerank", "retrieval"},           {OPERATION, "embedding", "embeddings"},
};

static const struct gen_ai_source sources[] = {
    {.name = "openinference",
     .mappings = openinference_mappings,
     .mapping_count = COUNT(openinference_mappings),
     .values = openinference_values,
     .value_count = COUNT(openinference_values),
     .values_in_any_case = true,
     .has_messages = true},
    {.name = "openllmetry",
     .mappings = openllmetry_mappings,
     .mapping_count = COUNT(openllmetry_mappings),
     .values = openllmetry_values,
     .value_count = COUNT(openllmetry_values),
     .values_in_any_case = true},
};

/* Those that are not of any type; messages and what tools take and return are. */
static const struct {
    const char *attribute;
    enum gen_ai_type type;
} types[] = {
    {"gen_ai.agent.description", GEN_AI_STRING},
    {"gen_ai.agent.id", GEN_AI_STRING},
    {"gen_ai.agent.name", GEN_AI_STRING},
    {"gen_ai.agent.version", GEN_AI_STRING},
    {"gen_ai.conversation.id", GEN_AI_STRING},
    {"gen_ai.data_source.id", GEN_AI_STRING},
    {"gen_ai.embeddings.dimension.count", GEN_AI_INT},
    {"gen_ai.evaluation.explanation", GEN_AI_STRING},
    {"gen_ai.evaluation.name", GEN_AI_STRING},
    {"gen_ai.evaluation.score.label", GEN_AI_STRING},
    {"gen_ai.evaluation.score.value", GEN_AI_DOUBLE},
    {OPERATION, GEN_AI_STRING},
    {"gen_ai.output.type", GEN_AI_STRING},
    {"gen_ai.prompt.name", GEN_AI_STRING},
    {"gen_ai.provider.name", GEN_AI_STRING},
    {"gen_ai.request.choice.count", GEN_AI_INT},
    {"gen_ai.request.encoding_formats", GEN_AI_STRINGS},
    {"gen_ai.request.frequency_penalty", GEN_AI_DOUBLE},
    {"gen_ai.request.max_tokens", GEN_AI_INT},
    {MODEL, GEN_AI_STRING},
    {"gen_ai.request.presence_penalty", GEN_AI_DOUBLE},
    {"gen_ai.request.seed", GEN_AI_INT},
    {"gen_ai.request.stop_sequences", GEN_AI_STRINGS},
    {"gen_ai.request.temperature", GEN_AI_DOUBLE},
    {"gen_ai.request.top_k", GEN_AI_DOUBLE},
    {"gen_ai.request.top_p", GEN_AI_DOUBLE},
    {"gen_ai.response.finish_reasons", GEN_AI_STRINGS},
    {"gen_ai.response.id", GEN_AI_STRING},
    {"gen_ai.response.model", GEN_AI_STRING},
    {"gen_ai.retrieval.query.text", GEN_AI_STRING},
    {"gen_ai.token.type", GEN_AI_STRING},
    {"gen_ai.tool.call.id", GEN_AI_STRING},
    {"gen_ai.tool.description", GEN_AI_STRING},
    {"gen_ai.tool.name", GEN_AI_STRING},
    {"gen_ai.tool.type", GEN_AI_STRING},
    {"gen_ai.usage.cache_creation.input_tokens", GEN_AI_INT},
    {"gen_ai.usage.cache_read.input_tokens", GEN_AI_INT},
    {"gen_ai.usage.input_tokens", GEN_AI_INT},
    {"gen_ai.usage.output_tokens", GEN_AI_INT},
};

const struct gen_ai_source *gen_ai_source_find(const char *name)
{
    for (size_t i = 0; i < COUNT(sources); i++) {
        if (strcmp(sources[i].name, name) == 0) {
            return &sources[i];
        }
    }
    return NULL;
}

enum gen_ai_type gen_ai_type_of(const char *attribute)
{
    for (size_t i = 0; i < COUNT(types); i++) {
        if (strcmp(types[i].attribute, attribute) == 0) {
            return types[i].type;
        }
    }
    return GEN_AI_ANY;
}

const struct gen_ai_mapping *gen_ai_mapping_find(const struct gen_ai_source *source,
                                                 struct hf_slice attribute)
{
    for (size_t i = 0; i < source->mapping_count; i++) {
        if (hf_slice_is(attribute, source->mappings[i].from)) {
            return &source->mappings[i];
        }
    }
    return NULL;
}

const char *gen_ai_value_find(const struct gen_ai_source *source, const char *to,
                              struct hf_slice text)
{
    for (size_t i = 0; i < source->value_count; i++) {
        const struct gen_ai_value *value = &source->values[i];
        bool is_it = source->values_in_any_case
                         ? text.size == strlen(value->text) &&
                               strncasecmp((const char *)text.data, value->text, text.size) == 0
                         : hf_slice_is(text, value->text);
        if (is_it && strcmp(value->to, to) == 0) {
            return value->becomes;
        }
    }
    return NULL;
}
