"""What must hold of the exoplanet assets."""

from assets.checks import both_classes, check, disjoint, finite, metric_floor, parameter_counts
from assets.exoplanets.training import NETWORKS
from assets.wiring import BY_SPLIT
from models.arrays import Arrays
from models.exoplanets.splits import inputs_of
from models.exoplanets.transforms import CADENCES
from models.sampling import SPLITS
from models.types import JsonDict


def well_formed(curves: Arrays) -> JsonDict:
    """Curves have 3197 cadences, labels 0 or 1, and every star one row."""
    import numpy as np

    problems: JsonDict = {}
    if curves["flux"].shape[1:] != (CADENCES,):
        problems["flux"] = f"rows of shape {curves['flux'].shape[1:]}, expected ({CADENCES},)"
    labels = set(np.unique(np.asarray(curves["label"])).tolist())
    if not labels <= {0, 1}:
        problems["label"] = f"holds {sorted(labels)}, expected 0 and 1"
    names = np.asarray(curves["star"])
    if len(np.unique(names)) != len(names):
        problems["star"] = "a star has more than one row"
    return problems


def known_flux(curves: Arrays) -> JsonDict:
    """No flux is NaN or infinite."""
    return finite({"flux": curves["flux"]})


def hosts_apart(splits: Arrays) -> JsonDict:
    """No host star has curves in two splits."""
    return disjoint(splits["host"][:], splits["split"][:])


def classes_present(splits: Arrays) -> JsonDict:
    """Every split has stars with a planet and without."""
    return both_classes(splits["label"][:], splits["split"][:], SPLITS)


def finite_features(examples: Arrays) -> JsonDict:
    """No feature is NaN or infinite."""
    return finite(inputs_of(examples))


def better_than_chance(evaluation: JsonDict) -> JsonDict:
    """The vetting model ranks planets far above chance."""
    return metric_floor(evaluation, "roc_auc", 0.8)


def planets_recovered(search: JsonDict) -> JsonDict:
    """The search recovers every known planet, its period within 0.1 %."""
    return {
        star["planet"]: f"found {star['period']:.5f} days, published {star['published_period']}"
        for star in search["stars"]
        if "planet" in star and not star["recovered"]
    }


def control_is_chance(control: JsonDict) -> JsonDict:
    """A model trained on permuted labels ranks as chance does."""
    return {} if control["as_chance"] else {"ROC area": control["roc_auc"]}


checks = [
    check("well_formed", ("exoplanets", "curves"), well_formed),
    check("known_flux", ("exoplanets", "curves"), known_flux),
    check("hosts_apart", ("exoplanets", "splits"), hosts_apart),
    check("classes_present", ("exoplanets", "splits"), classes_present),
    check("finite", ("exoplanets", "scaled"), finite_features, partitions=BY_SPLIT),
    check("finite", ("exoplanets", "spectra"), finite_features, partitions=BY_SPLIT),
    *(
        check("parameter_counts", ("exoplanets", f"{model}_architecture"), parameter_counts)
        for model in NETWORKS
    ),
    check("better_than_chance", ("exoplanets", "vetting_evaluation"), better_than_chance),
    check("planets_recovered", ("exoplanets", "transit_search"), planets_recovered),
    check("control_is_chance", ("exoplanets", "vetting_permuted_control"), control_is_chance),
]
