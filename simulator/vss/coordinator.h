#pragma once
// The COM class of the VSS coordinator, as far as IVssAdmin lists providers.

#include "com_object.h"

namespace vss_simulator {

Ref<IClassFactory> makeCoordinatorFactory();

}  // namespace vss_simulator
