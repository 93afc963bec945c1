#pragma once
// IVssCreateWriterMetadata(Ex): the object that a writer fills with its metadata.

#include "com_object.h"
#include "writer_abi.h"
#include "writers.h"

namespace vss_simulator {

class CreateWriterMetadata;

/** The object that the writer sees, and its contents. */
class MetadataInMaking {
public:
    /** Starts with the writer's identity. */
    explicit MetadataInMaking(WriterDescription identity);
    MetadataInMaking(const MetadataInMaking&) = delete;
    MetadataInMaking& operator=(const MetadataInMaking&) = delete;
    ~MetadataInMaking();

    abi::IVssCreateWriterMetadataEx* object() const;
    const WriterDescription& description() const;

private:
    CreateWriterMetadata* object_;
};

}  // namespace vss_simulator
