"""Resources that assets ask for. They are configured in `assets.definitions`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg


class Tracking(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Records trainings in MLflow, so that they can be compared in its UI.

    Parameters
    ----------
    uri
        MLflow's tracking store, such as ``sqlite:////home/me/mlflow.db`` or an ``http://`` server.
    ui
        Where `make mlflow` serves its UI, for the link on the asset.
    """

    uri: str
    ui: str = "http://127.0.0.1:5000"

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
        run = client.create_run(experiment_id, run_name=name)
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
        named = f"tags.`mlflow.runName` = '{name}'"
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

    def _link(self, experiment: str, run: str) -> dict[str, dg.MetadataValue]:
        return {
            "MLflow run": dg.MetadataValue.url(f"{self.ui}/#/experiments/{experiment}/runs/{run}")
        }


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
