"""Writes a package laid out as ClustPy is, so that the adapter is tested where ClustPy is not installed."""

from __future__ import annotations

from pathlib import Path

DEEP = '''
from __future__ import annotations
import numpy as np
import torch
import tqdm
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.cluster import KMeans


class Net(TransformerMixin, ClusterMixin, BaseEstimator):
    """
    The Net algorithm.
    First, a network is trained. Afterward, KMeans is run.

    Parameters
    ----------
    n_clusters : int | None
        number of clusters. Can be None (default: 8)
    batch_size : int
        size of the data batches (default: 256)
    pretrain_epochs : int
        number of epochs for the pretraining (default: 100)
    clustering_epochs : int
        number of epochs for the clustering (default: 150)
    optimizer_class : type[torch.optim.Optimizer]
        the optimizer class (default: torch.optim.Adam)
    device : torch.device | int | str | None
        where to compute (default: None)
    random_state : np.random.RandomState | int | None
        the seed (default: None)

    Attributes
    ----------
    labels_ : np.ndarray
        The labels

    References
    ----------
    Doe, Jane. "On nets."
    Journal of Nets. 1999.
    """

    def __init__(self, n_clusters: int | None = 8, batch_size: int = 256, pretrain_epochs: int = 100,
                 clustering_epochs: int = 150,
                 optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
                 device: torch.device | int | str | None = None,
                 random_state: np.random.RandomState | int | None = None):
        self.n_clusters, self.batch_size = n_clusters, batch_size
        self.pretrain_epochs, self.clustering_epochs = pretrain_epochs, clustering_epochs
        self.optimizer_class, self.device, self.random_state = optimizer_class, device, random_state

    def fit(self, X, y=None):
        assert isinstance(self.device, torch.device)
        assert self.batch_size <= len(X)
        print("a word no one asked for")
        self.weights = torch.randn(X.shape[1], 2).numpy()  # global chance
        self.ran = [0, 0]
        bar = tqdm.trange(self.pretrain_epochs, desc="AE training")
        for epoch in bar:
            self.ran[0] += 1
            bar.set_postfix({"Training Loss": 10.0 - epoch})
        with tqdm.tqdm(total=2 * self.clustering_epochs, desc="by hand") as bar:  # two steps an epoch
            for _ in range(2 * self.clustering_epochs):
                bar.set_postfix({"Loss": 1.0})
                bar.update()
        self.neural_network_trained_ = self
        self.labels_ = KMeans(self.n_clusters, n_init=3, random_state=self.random_state).fit(X).labels_
        return self

    def transform(self, X):
        return X @ self.weights
'''

PLAIN = '''
import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.cluster import KMeans


class Halves(ClusterMixin, BaseEstimator):
    """
    Execute k-means and call far items noise.

    Parameters
    ----------
    n_clusters : int
        number of clusters (default: 8)
    strategy : str
        Defines what is noise. Possibilities are 'none' and 'far' (default: 'none')
    share : float
        Share of the items that are far (default: 0.1)
    max_iter : int | None
        rounds at most (default: None)
    V_init : np.ndarray | None
        the first rotation (default: None)
    random_state : np.random.RandomState | int | None
        the seed (default: None)
    debug : bool
        say more (default: False)
    """

    def __init__(self, n_clusters: int = 8, strategy: str = "none", share: float = 0.1,
                 max_iter: int | None = None, V_init: np.ndarray | None = None,
                 random_state: np.random.RandomState | int | None = None, debug: bool = False):
        self.n_clusters, self.strategy, self.share, self.max_iter = n_clusters, strategy, share, max_iter
        self.V_init, self.random_state, self.debug = V_init, random_state, debug

    def fit(self, X, y=None):
        found = KMeans(self.n_clusters, n_init=3, random_state=self.random_state).fit(X)
        labels = 2 * found.labels_  # with gaps
        if self.strategy == "far":
            far = found.transform(X).min(axis=1)
            labels[far > np.quantile(far, 1 - self.share)] = -1
        self.labels_ = labels.astype(np.int32)
        return self


class TwoViews(ClusterMixin, BaseEstimator):
    """Finds a clustering in each of several views."""

    def __init__(self, n_clusters: list[int] | tuple[int, ...] = (3, 2)):
        self.n_clusters = n_clusters

    def fit(self, X, y=None):
        assert isinstance(self.n_clusters, list)
        views = [KMeans(k, n_init=3, random_state=0).fit(X).labels_ for k in self.n_clusters]
        self.labels_ = np.stack(views, axis=1)
        return self


class Refuses(ClusterMixin, BaseEstimator):
    """Refuses everything."""

    def __init__(self, reason: str = "Only counts are allowed."):
        self.reason = reason

    def fit(self, X, y=None):
        raise AssertionError(self.reason)


class NoClusterer(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self
'''


def write(folder: Path, name: str) -> None:
    """Write the package ``name`` into ``folder``."""
    for part, module, code in (("deep", "net", DEEP), ("centroid", "plain", PLAIN), ("data", "sets", PLAIN)):
        home = folder / name / part
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{module}.py").write_text(code)
        (home / "__init__.py").write_text(f"from .{module} import *\n")
    (folder / name / "__init__.py").write_text("")
