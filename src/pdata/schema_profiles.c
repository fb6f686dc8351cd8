/* The messages of profiles, as OTLP 1.10 has them: in development. */
#include "schema_internal.h"

#define PROFILES "opentelemetry.proto.profiles.v1development."
#define PROFILES_SERVICE "opentelemetry.proto.collector.profiles.v1development."
#define INDEX(number_, name_, json_) FIELD(number_, INT32, name_, json_)
#define INDICES(number_, name_, json_) FIELD(number_, INT32, name_, json_, .repeated = true)

const struct hf_schema_message hf_schema_mapping = {
    .name = PROFILES "Mapping",
    .index = HF_MESSAGE_MAPPING,
    .fields = {
        FIELD(1, UINT64, "memory_start", "memoryStart"),
        FIELD(2, UINT64, "memory_limit", "memoryLimit"),
        FIELD(3, UINT64, "file_offset", "fileOffset"),
        INDEX(4, "filename_strindex", "filenameStrindex"),
        INDICES(5, "attribute_indices", "attributeIndices"),
    }};

const struct hf_schema_message hf_schema_line = {.name = PROFILES "Line",
                                                 .index = HF_MESSAGE_LINE,
                                                 .fields = {
                                                     INDEX(1, "function_index", "functionIndex"),
                                                     FIELD(2, INT64, "line", "line"),
                                                     FIELD(3, INT64, "column", "column"),
                                                 }};

const struct hf_schema_message hf_schema_location = {
    .name = PROFILES "Location",
    .index = HF_MESSAGE_LOCATION,
    .fields = {
        INDEX(1, "mapping_index", "mappingIndex"),
        FIELD(2, UINT64, "address", "address"),
        MANY(3, "lines", "lines", hf_schema_line),
        INDICES(4, "attribute_indices", "attributeIndices"),
    }};

const struct hf_schema_message hf_schema_function = {
    .name = PROFILES "Function",
    .index = HF_MESSAGE_FUNCTION,
    .fields = {
        INDEX(1, "name_strindex", "nameStrindex"),
        INDEX(2, "system_name_strindex", "systemNameStrindex"),
        INDEX(3, "filename_strindex", "filenameStrindex"),
        FIELD(4, INT64, "start_line", "startLine"),
    }};

const struct hf_schema_message hf_schema_profile_link = {.name = PROFILES "Link",
                                                         .index = HF_MESSAGE_PROFILE_LINK,
                                                         .fields = {
                                                             ID(1, "trace_id", "traceId", 16),
                                                             ID(2, "span_id", "spanId", 8),
                                                         }};

const struct hf_schema_message hf_schema_key_value_and_unit = {
    .name = PROFILES "KeyValueAndUnit",
    .index = HF_MESSAGE_KEY_VALUE_AND_UNIT,
    .fields = {
        INDEX(1, "key_strindex", "keyStrindex"),
        ONE(2, "value", "value", hf_schema_any_value),
        INDEX(3, "unit_strindex", "unitStrindex"),
    }};

const struct hf_schema_message hf_schema_stack = {
    .name = PROFILES "Stack",
    .index = HF_MESSAGE_STACK,
    .fields = {
        INDICES(1, "location_indices", "locationIndices"),
    }};

const struct hf_schema_message hf_schema_dictionary = {
    .name = PROFILES "ProfilesDictionary",
    .index = HF_MESSAGE_DICTIONARY,
    .fields = {
        MANY(1, "mapping_table", "mappingTable", hf_schema_mapping),
        MANY(2, "location_table", "locationTable", hf_schema_location),
        MANY(3, "function_table", "functionTable", hf_schema_function),
        MANY(4, "link_table", "linkTable", hf_schema_profile_link),
        FIELD(5, STRING, "string_table", "stringTable", .repeated = true),
        MANY(6, "attribute_table", "attributeTable", hf_schema_key_value_and_unit),
        MANY(7, "stack_table", "stackTable", hf_schema_stack),
    }};

const struct hf_schema_message hf_schema_value_type = {
    .name = PROFILES "ValueType",
    .index = HF_MESSAGE_VALUE_TYPE,
    .fields = {
        INDEX(1, "type_strindex", "typeStrindex"),
        INDEX(2, "unit_strindex", "unitStrindex"),
    }};

const struct hf_schema_message hf_schema_sample = {
    .name = PROFILES "Sample",
    .is_item = true,
    .index = HF_MESSAGE_SAMPLE,
    .fields = {
        INDEX(1, "stack_index", "stackIndex"),
        INDICES(2, "attribute_indices", "attributeIndices"),
        INDEX(3, "link_index", "linkIndex"),
        FIELD(4, INT64, "values", "values", .repeated = true),
        FIELD(5, FIXED64, "timestamps_unix_nano", "timestampsUnixNano", .repeated = true),
    }};

const struct hf_schema_message hf_schema_profile = {
    .name = PROFILES "Profile",
    .holds_items = true,
    .index = HF_MESSAGE_PROFILE,
    .fields = {
        ONE(1, "sample_type", "sampleType", hf_schema_value_type),
        MANY(2, "samples", "samples", hf_schema_sample),
        FIELD(3, FIXED64, "time_unix_nano", "timeUnixNano"),
        FIELD(4, UINT64, "duration_nano", "durationNano"),
        ONE(5, "period_type", "periodType", hf_schema_value_type),
        FIELD(6, INT64, "period", "period"),
        ID(7, "profile_id", "profileId", 16),
        FIELD(8, UINT32, "dropped_attributes_count", "droppedAttributesCount"),
        FIELD(9, STRING, "original_payload_format", "originalPayloadFormat"),
        FIELD(10, BYTES, "original_payload", "originalPayload"),
        INDICES(11, "attribute_indices", "attributeIndices"),
    }};

const struct hf_schema_message hf_schema_scope_profiles = {
    .name = PROFILES "ScopeProfiles",
    .holds_items = true,
    .index = HF_MESSAGE_SCOPE_PROFILES,
    .fields = {
        ONE(1, "scope", "scope", hf_schema_scope),
        MANY(2, "profiles", "profiles", hf_schema_profile),
        FIELD(3, STRING, "schema_url", "schemaUrl"),
    }};

const struct hf_schema_message hf_schema_resource_profiles = {
    .name = PROFILES "ResourceProfiles",
    .holds_items = true,
    .index = HF_MESSAGE_RESOURCE_PROFILES,
    .fields = {
        ONE(1, "resource", "resource", hf_schema_resource),
        MANY(2, "scope_profiles", "scopeProfiles", hf_schema_scope_profiles),
        FIELD(3, STRING, "schema_url", "schemaUrl"),
    }};

const struct hf_schema_message hf_schema_profiles_request = {
    .name = PROFILES_SERVICE "ExportProfilesServiceRequest",
    .holds_items = true,
    .index = HF_MESSAGE_PROFILES_REQUEST,
    .fields = {
        MANY(1, "resource_profiles", "resourceProfiles", hf_schema_resource_profiles),
        ONE(2, "dictionary", "dictionary", hf_schema_dictionary),
    }};

const struct hf_schema_message hf_schema_profiles_partial = {
    .name = PROFILES_SERVICE "ExportProfilesPartialSuccess",
    .index = HF_MESSAGE_PROFILES_PARTIAL,
    .fields = {
        FIELD(1, INT64, "rejected_profiles", "rejectedProfiles"),
        FIELD(2, STRING, "error_message", "errorMessage"),
    }};

const struct hf_schema_message hf_schema_profiles_response = {
    .name = PROFILES_SERVICE "ExportProfilesServiceResponse",
    .index = HF_MESSAGE_PROFILES_RESPONSE,
    .fields = {
        ONE(1, "partial_success", "partialSuccess", hf_schema_profiles_partial),
    }};
