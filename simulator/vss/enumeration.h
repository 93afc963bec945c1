#pragma once
// IVssEnumObject for shadows or providers, and the structures that callers free.

#include <variant>
#include <vector>

#include "com_object.h"
#include "shadows.h"
#include "volumes.h"

namespace vss_simulator {

using QueriedObject = std::variant<Shadow, Provider>;

Ref<abi::IVssEnumObject> makeEnumeration(std::vector<QueriedObject> objects);

/** The caller frees the strings, with freeSnapshotProperties or CoTaskMemFree. */
void fillSnapshotProperties(const Shadow& shadow, VSS_SNAPSHOT_PROP& properties);
void freeSnapshotProperties(VSS_SNAPSHOT_PROP& properties);

}  // namespace vss_simulator
