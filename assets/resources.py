"""Resources that assets ask for. They are configured in `assets.definitions`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

MODEL = "faint.model"
ASSET, PARTITION, RUN, VERSION = (
    f"dagster.{name}" for name in ("asset", "partition", "run_id", "code_version")
)
"""Tags of a run in MLflow."""


class Tracking(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Records trainings in MLflow, so that they can be compared in its UI.

    A system's trainings are the runs of one experiment. A run is named by its asset, partition and
    Dagster run, has them and the code version as tags, and links to the asset; the asset links to
    the run.

    Parameters
    ----------
    uri
        MLflow's tracking store, such as ``sqlite:////home/me/mlflow.db`` or an ``http://`` server.
    ui
        Where `make mlflow` serves its UI, for the link on the asset.
    dagster_ui
        Where `make ui` serves Dagster's, for the link on the run.
    """

    uri: str
    ui: str = "http://127.0.0.1:5000"
    dagster_ui: str = "http://127.0.0.1:3000"

    def log(
        self,
        experiment: str,
        name: str,
        parameters: Mapping[str, object],
        epochs: Mapping[str, Sequence[float]] | None = None,
        model: Any = None,
    ) -> dict[str, dg.MetadataValue]:
        """Record one training, and return the link to show on its asset.

        Parameters
        ----------
        experiment, name
            The system and the model.
        parameters
            Settings of the training.
        epochs
            Metrics by name, one value per epoch.
        model
            What was trained: a Keras network or a scikit-learn estimator.
        """
        from mlflow.entities import Metric, Param

        client, experiment_id = self._open(experiment)
        tags = _asset_tags()
        run = client.create_run(
            experiment_id,
            run_name=_run_name(tags) or name,
            tags={MODEL: name, **tags, **self._note(tags)},
        )
        start = run.info.start_time
        client.log_batch(
            run.info.run_id,
            metrics=[
                Metric(metric, value, start, step)
                for metric, values in (epochs or {}).items()
                for step, value in enumerate(values, start=1)
            ],
            params=[Param(key, str(value)[:500]) for key, value in parameters.items()],
        )
        if model is not None:
            with TemporaryDirectory() as folder:
                client.log_artifact(run.info.run_id, str(_written(model, Path(folder))), "model")
        client.set_terminated(run.info.run_id)
        return self._link(experiment_id, run.info.run_id)

    def log_test(
        self, experiment: str, name: str, metrics: Mapping[str, float]
    ) -> dict[str, dg.MetadataValue]:
        """Add a model's metrics on the test set to its latest training.

        Parameters
        ----------
        experiment, name
            As the training was recorded.
        metrics
            Value of each metric that is defined.

        Returns
        -------
        The link to show on the asset; none where no training was recorded here, as when the model
        was restored from a store that is shared.
        """
        from mlflow.entities import Metric

        client, experiment_id = self._open(experiment)
        named = f"tags.`{MODEL}` = '{name}'"
        runs = client.search_runs(
            [experiment_id], named, order_by=["attributes.start_time DESC"], max_results=1
        )
        if not runs:
            return {}
        info = runs[0].info
        now = int(time.time() * 1000)
        client.log_batch(
            info.run_id,
            metrics=[Metric(f"test {name}", value, now, 0) for name, value in metrics.items()],
        )
        return self._link(experiment_id, info.run_id)

    def _open(self, experiment: str) -> tuple[Any, str]:
        """Return a client and the id of the experiment, which is created if it is missing."""
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        artifacts = None  # a server has its own place for them
        if self.uri.startswith("sqlite:///"):
            folder = Path(self.uri.removeprefix("sqlite:///")).absolute().parent
            folder.mkdir(parents=True, exist_ok=True)
            artifacts = (folder / "artifacts" / experiment).as_uri()
        client = MlflowClient(self.uri)
        if known := client.get_experiment_by_name(experiment):
            return client, known.experiment_id
        try:
            # Without its kind, the UI opens on pages for language models.
            kind = {"mlflow.experimentKind": "custom_model_development"}
            made = client.create_experiment(experiment, artifact_location=artifacts, tags=kind)
            return client, made
        except MlflowException:  # another process was first
            return client, client.get_experiment_by_name(experiment).experiment_id

    def _note(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Return a run's description, which links to its asset and to the run that built it."""
        if not tags:
            return {}
        asset, run = tags[ASSET], tags[RUN]
        built = f"[{run[:8]}]({self.dagster_ui}/runs/{run})"
        text = f"[{asset}]({self.dagster_ui}/assets/{asset}), built by Dagster run {built}"
        return {"mlflow.note.content": text}

    def _link(self, experiment: str, run: str) -> dict[str, dg.MetadataValue]:
        return {
            "MLflow run": dg.MetadataValue.url(f"{self.ui}/#/experiments/{experiment}/runs/{run}")
        }


def _asset_tags() -> dict[str, str]:
    """Say which asset is being built, and by what; nothing outside a Dagster run."""
    try:
        context = dg.AssetExecutionContext.get()
    except dg.DagsterInvariantViolationError:
        return {}
    key = next(iter(context.assets_def.keys_by_output_name.values()))
    version = context.assets_def.code_versions_by_key.get(key)
    return {
        ASSET: "/".join(key.path),
        **({PARTITION: context.partition_key} if context.has_partition_key else {}),
        RUN: context.run.run_id,
        **({VERSION: version} if version else {}),
    }


def _run_name(tags: Mapping[str, str]) -> str:
    if not tags:
        return ""
    partition = f"[{tags[PARTITION]}]" if PARTITION in tags else ""
    return f"{tags[ASSET]}{partition} {tags[RUN][:8]}"


def _written(model: Any, folder: Path) -> Path:
    """Write a model as the store does: networks as ``.keras``, estimators with skops."""
    if hasattr(model, "layers"):
        path = folder / "model.keras"
        model.save(path)
    else:
        from skops.io import dump

        path = folder / "model.skops"
        dump(model, path)
    return path
