#pragma once
// IVssExamineWriterMetadata and the objects it contains.

#include "com_object.h"
#include "writers.h"

namespace vss_simulator {

Ref<abi::IVssExamineWriterMetadataEx2> makeWriterMetadata(WriterDescription writer);
Ref<abi::IVssWMFiledesc> makeFiledesc(FileSet file);

}  // namespace vss_simulator
