#pragma once
// The shadows of the machine: one record file each, visible to all processes that share the state directory.

#include <windows.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "abi.h"
#include "volumes.h"

namespace vss_simulator {

/** PERSISTENT, CLIENT_ACCESSIBLE, NO_AUTO_RELEASE and NO_WRITERS distinguish the contexts. */
inline constexpr LONG kContextBits = VSS_VOLSNAP_ATTR_PERSISTENT | VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE |
                                     VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE | VSS_VOLSNAP_ATTR_NO_WRITERS;
inline constexpr LONG kExposedBits = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY | VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY;

struct Shadow {
    VSS_ID id{};
    VSS_ID setId{};
    LONG setCount = 0;
    int deviceNumber = 0;
    /** GUID name of the original volume. */
    std::wstring volume;
    VSS_ID providerId{};
    LONG attributes = 0;
    /**
     * 0 during creation. The record is written before the first byte, so that others can clean up after a process that
     * dies.
     */
    LONGLONG createdFileTime = 0;
    /** The session that removes the shadow when it ends; empty for a shadow that stays. */
    std::string owner;
    std::wstring exposedName;
    std::wstring exposedPath;

    bool isPersistent() const { return attributes & VSS_VOLSNAP_ATTR_PERSISTENT; }
    bool isCreated() const { return createdFileTime != 0; }
    /** Until it is imported, a transportable shadow is only a record. */
    bool isSurfaced() const {
        return !(attributes & VSS_VOLSNAP_ATTR_TRANSPORTABLE) || attributes & VSS_VOLSNAP_ATTR_IMPORTED;
    }
    /** Without a trailing backslash. */
    std::wstring device() const;
};

/** Shadows of all contexts, surfaced or not, oldest first. Shadows of dead sessions are removed first. */
std::vector<Shadow> allShadows();
/** Throws VSS_E_OBJECT_NOT_FOUND. */
Shadow shadowById(const VSS_ID& id);
void saveShadow(const Shadow& shadow);
/**
 * Removes the shadow with its contents and, by the settings, the place where it is exposed; otherwise that stays as a
 * broken link.
 */
void removeShadow(const Shadow& shadow);
/** Write-protects the shadow, enforced by shadow_guard.c. */
void protectDevice(const Shadow& shadow);
void openDevice(const Shadow& shadow);
/** Hides the device, as if its disk were removed from this machine. */
void hideDevice(const Shadow& shadow);
/** Removes only the record: after BreakSnapshotSet, the shadow is an ordinary volume. */
void forgetShadow(const Shadow& shadow);
int newDeviceNumber();

/** The file that is owned by the session while it is alive. */
std::filesystem::path sessionFile(const std::string& session);

/** Exposes the shadow at `place` (`X:` or an empty directory). Throws E_INVALIDARG if that is impossible. */
void exposeLocally(const Shadow& shadow, const std::wstring& place);
void unexposeLocally(const std::wstring& place);

}  // namespace vss_simulator
