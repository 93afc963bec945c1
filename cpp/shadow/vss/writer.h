#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "shadow/vss/guid.h"

namespace domino_vss::vss {

/// An IVssWMFiledesc: files of a component, or files that the writer excludes.
struct FileSpecification {
    std::string path;
    std::string fileSpec;
    bool recursive = false;
};

struct WriterComponent {
    std::int32_t type = 0;  ///< VSS_COMPONENT_TYPE
    std::string logicalPath;
    std::string name;
    std::string caption;
    bool selectable = false;
    bool selectableForRestore = false;
    std::vector<FileSpecification> files;

    /// `\logical\path\name`
    [[nodiscard]] std::string fullPath() const;
};

enum class Exclusion : std::uint8_t { none, asked, domino, nothingToInclude, componentOutsideSet };

/// The strings of lib/native/vss.ts; empty for `none`.
[[nodiscard]] const char* exclusionName(Exclusion exclusion) noexcept;

/// A writer's description of its data; may be large.
struct WriterMetadata {
    std::vector<WriterComponent> components;
    std::vector<FileSpecification> excludedFiles;
    std::string document;  ///< SaveAsXML
};

/// A writer's identity and state. Cheap to copy.
struct Writer {
    Guid id;
    Guid instanceId;
    std::string name;
    std::string instanceName;
    std::int32_t usage = 0;                                                                     ///< VSS_USAGE_TYPE
    std::int32_t source = 0;                                                                    ///< VSS_SOURCE_TYPE
    std::shared_ptr<const WriterMetadata> metadata = std::make_shared<const WriterMetadata>();  ///< never nullptr

    std::int32_t state = 0;  ///< VSS_WRITER_STATE; 0 if not queried or not reported
    std::uint32_t failure = 0;
    bool vanished = false;  ///< was queried, but is no longer in the list of states
    std::uint32_t applicationFailure = 0;
    std::string applicationMessage;

    Exclusion exclusion = Exclusion::none;
    /// Indexes of its components that are added individually; component mode only.
    std::vector<std::size_t> added;

    [[nodiscard]] bool failed() const noexcept;
};

}  // namespace domino_vss::vss
