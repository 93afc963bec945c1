#pragma once
// The COM class of the VSS coordinator; only IVssAdmin's list of providers.

#include "com_object.h"

namespace vss_simulator {

Ref<IClassFactory> makeCoordinatorFactory();

}  // namespace vss_simulator
