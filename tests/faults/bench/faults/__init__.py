"""The faults, each a small function with the id of reliability.md §5.3, in modules by what they do something to.

A fault puts back what it took: when its function returns, everything is there again and healing begins. One that needs
something to be under way waits for it and raises `NotStaged` if it does not come: such a fault is not counted.
"""

from collections.abc import Callable

from tests.faults.bench.faults import carried, connections, disks, histories, processes, releases, servers
from tests.faults.bench.federation import Partner
from tests.faults.bench.scene import Scene

FAULTS: dict[str, Callable[[Scene, Partner], None]] = {
    "F01": processes.kill_courier,
    "F02": processes.kill_receiver,
    "F03": processes.kill_node,
    "F04": servers.kill_broker,
    "F05": servers.wipe_broker,
    "F06": servers.freeze_broker,
    "F07": processes.freeze,
    "F08": connections.cut_link,
    "F09": connections.late_answers,
    "F10": connections.long_cut,
    "F11": servers.no_disk_for_broker,
    "F12": disks.disk_full,
    "F13": servers.no_memory_for_broker,
    "F14": histories.wrong_clock,
    "F15": releases.failing_effect,
    "F16": carried.plant_garbage,
    "F17": releases.newer_release,
    "F18": carried.plant_forged,
    "F19": carried.replay,
    "F20": carried.out_of_order,
    "F21": carried.lose_tail,
    "F22": carried.purge,
    "F24": histories.restore_lead,
    "F25": processes.two_at_once,
    "F26": processes.terminate,
    "F27": servers.delete_user,
    "F28": servers.storm_and_crash,
    "F29": histories.erase,
    "F30": servers.other_release,
}
AT_A_NODE = ("F01", "F03", "F08", "F09", "F10", "F12", "F14", "F27", "F29")
"""Faults that leave the lead and the other nodes alone: others may come beside them."""
AT_THE_LEAD = ("F02", "F04", "F05", "F06", "F11", "F13", "F24", "F26", "F28", "F30")
"""Faults that meet all partners' streams."""
ALONE = ("F04", "F05", "F06", "F11", "F13", "F15", "F17", "F24", "F28", "F30")
"""Faults beside which nothing else could be staged."""
BY_BROKER = ("F11", "F13", "F27", "F30")
"""Faults that need a node that comes by the lead's broker."""
