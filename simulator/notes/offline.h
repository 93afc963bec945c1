#pragma once
// Databases taken offline. Remembered by path, because the file itself may be replaced meanwhile.

#include "environment.h"

namespace domino_sim {

bool isOffline(Partition& partition, const std::string& expandedPath);
void markOffline(Partition& partition, const std::string& expandedPath);
/** Returns false if it was not offline. */
bool clearOffline(Partition& partition, const std::string& expandedPath);
void clearAllOffline(Partition& partition);

}  // namespace domino_sim
