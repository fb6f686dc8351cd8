"""Reads what pprof reads: gzip around profile.proto, by protobuf's own code made from a description of the format."""

import collections
import gzip

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TEXT, INT, UINT, BOOL, MESSAGE = 9, 3, 4, 8, 11
# name: (number, type, is it a list, type of the message)
MESSAGES = {
    "ValueType": {"type": (1, INT), "unit": (2, INT)},
    "Label": {"key": (1, INT), "str": (2, INT), "num": (3, INT), "num_unit": (4, INT)},
    "Sample": {"location_id": (1, UINT, True), "value": (2, INT, True), "label": (3, MESSAGE, True, "Label")},
    "Mapping": {
        "id": (1, UINT),
        "memory_start": (2, UINT),
        "memory_limit": (3, UINT),
        "file_offset": (4, UINT),
        "filename": (5, INT),
        "build_id": (6, INT),
        "has_functions": (7, BOOL),
    },
    "Line": {"function_id": (1, UINT), "line": (2, INT)},
    "Location": {"id": (1, UINT), "mapping_id": (2, UINT), "address": (3, UINT), "line": (4, MESSAGE, True, "Line")},
    "Function": {"id": (1, UINT), "name": (2, INT), "system_name": (3, INT), "filename": (4, INT)},
    "Profile": {
        "sample_type": (1, MESSAGE, True, "ValueType"),
        "sample": (2, MESSAGE, True, "Sample"),
        "mapping": (3, MESSAGE, True, "Mapping"),
        "location": (4, MESSAGE, True, "Location"),
        "function": (5, MESSAGE, True, "Function"),
        "string_table": (6, TEXT, True),
        "time_nanos": (9, INT),
        "duration_nanos": (10, INT),
        "period_type": (11, MESSAGE, False, "ValueType"),
        "period": (12, INT),
        "comment": (13, INT, True),
    },
}


def _make_class():
    file = descriptor_pb2.FileDescriptorProto(name="profile.proto", package="perftools", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for key, (number, kind, *rest) in fields.items():
            field = message.field.add(name=key, number=number, type=kind, label=3 if rest and rest[0] else 1)
            if kind == MESSAGE:
                field.type_name = f".perftools.{rest[1]}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("perftools.Profile"))


Profile = _make_class()
Sample = collections.namedtuple("Sample", "functions files values thread")


class Read:
    """A profile with its references resolved; every one of them must lead somewhere."""

    def __init__(self, data):
        self.message = Profile.FromString(gzip.decompress(data))
        self.texts = list(self.message.string_table)
        assert self.texts[0] == "" and len(set(self.texts)) == len(self.texts)
        self.functions = {one.id: self.texts[one.name] for one in self.message.function}
        self.mappings = {one.id: one for one in self.message.mapping}
        self.locations = {one.id: one for one in self.message.location}
        assert len(self.locations) == len(self.message.location) and 0 not in self.locations
        self.types = [(self.texts[one.type], self.texts[one.unit]) for one in self.message.sample_type]
        self.samples = [self._sample(one) for one in self.message.sample]

    def _sample(self, one):
        functions, files = [], []
        for number in one.location_id:
            location = self.locations[number]
            functions.append(self.functions[location.line[0].function_id] if location.line else "?")
            mapping = self.mappings[location.mapping_id] if location.mapping_id else None
            if mapping is not None:
                assert mapping.memory_start <= location.address < mapping.memory_limit
            files.append(self.texts[mapping.filename] if mapping else "")
        assert len(one.value) == len(self.types)
        threads = [self.texts[label.str] for label in one.label if self.texts[label.key] == "thread"]
        return Sample(functions, files, list(one.value), threads[0] if threads else None)

    def total(self, index=0):
        return sum(sample.values[index] for sample in self.samples)
