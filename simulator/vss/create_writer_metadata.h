#pragma once
// IVssCreateWriterMetadata(Ex): what a writer fills while it is asked what it has.

#include "com_object.h"
#include "writer_abi.h"
#include "writers.h"

namespace vss_simulator {

class CreateWriterMetadata;

/** The object as the writer sees it, and what it has put in. */
class MetadataInMaking {
public:
    /** Begins with who the writer is. */
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
