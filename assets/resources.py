"""Resources that assets ask for. They are configured in `orchestration.build`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

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
        epochs: Mapping[str, Sequence[float]],
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
        """
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param

        if self.uri.startswith("sqlite:///"):
            Path(self.uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(self.uri)
        found = client.get_experiment_by_name(experiment)
        experiment_id = found.experiment_id if found else client.create_experiment(experiment)
        run = client.create_run(experiment_id, run_name=name)
        start = run.info.start_time
        client.log_batch(
            run.info.run_id,
            metrics=[
                Metric(metric, value, start, step)
                for metric, values in epochs.items()
                for step, value in enumerate(values, start=1)
            ],
            params=[Param(key, str(value)[:500]) for key, value in parameters.items()],
        )
        client.set_terminated(run.info.run_id)
        link = f"{self.ui}/#/experiments/{experiment_id}/runs/{run.info.run_id}"
        return {"MLflow run": dg.MetadataValue.url(link)}
